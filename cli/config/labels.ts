import { type LabelRow, labelRow } from "../../configs/schema/label-row.ts";
import { readRows } from "../../configs/schema/jsonl.ts";
import { usageError } from "../errors.ts";
import { badRows, type InputFile } from "./inputs.ts";

interface LabelFiles {
  readonly guide: InputFile;
  readonly evaluator: InputFile;
  readonly anchors: InputFile;
}

/** Families a message names of those that two files share. */
const shownFamilies = 2;

/**
 * The rows of the three label files, and that no two share a scenario family: the guide takes part in making the pairs, so an evaluator that
 * learned from the same situations is not independent of them, and anchors of those situations show no error.
 * @throws CliError (exit 2)
 */
export function checkLabels({ guide, evaluator, anchors }: LabelFiles): void {
  const files = [guide, evaluator, anchors].map((file) => ({ ...file, families: familiesOf(file) }));
  for (const { key, shown, families } of files.slice(0, 2))
    if (families.size < 2)
      throw usageError(`${shown} (${key}) has rows of one family only, so none can be held out; add rows of another.`);
  for (const [i, one] of files.entries()) for (const other of files.slice(i + 1)) checkDisjoint(one, other);
}

function familiesOf(file: InputFile): ReadonlySet<string> {
  const { rows, problems } = readRows<LabelRow>(labelRow, file.text);
  if (problems.length > 0)
    throw badRows(file, problems, `Mend these rows of ${file.key}; docs/guide.md has the fields of label rows.`);
  return new Set(rows.map(({ family }) => family));
}

type Families = InputFile & { readonly families: ReadonlySet<string> };

function checkDisjoint(one: Families, other: Families): void {
  const remedy = "Give each label file families of its own: what is learned from, tuned by and measured on must not be the same.";
  if (one.sha256 === other.sha256)
    throw usageError(`${one.key} and ${other.key} hold the same rows (${one.shown}, ${other.shown}). ${remedy}`);
  const shared = [...one.families].filter((family) => other.families.has(family)).toSorted();
  if (shared.length === 0) return;
  const named = shared.slice(0, shownFamilies).join(", ");
  const rest = shared.length > shownFamilies ? ` and ${shared.length - shownFamilies} more` : "";
  throw usageError(`${one.key} and ${other.key} share families: ${named}${rest} (${one.shown}, ${other.shown}). ${remedy}`);
}
