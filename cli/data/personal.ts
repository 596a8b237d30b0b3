import { addPii, countPii, type PiiCounts, piiText } from "../../domain/pii.ts";
import { precheckError } from "../errors.ts";
import type { PiiPolicy, Row } from "./rows.ts";

/** Units a message names of those with text that looks personal. */
const shownUnits = 5;

interface Personal {
  readonly counts: PiiCounts;
  readonly rows: number;
  /** The first ones. */
  readonly units: readonly string[];
}

/** Text that looks personal in all rows, one in memory at a time. */
export async function findPersonal(rows: AsyncIterable<Row>): Promise<Personal> {
  let counts: PiiCounts = {};
  let affected = 0;
  const units = new Set<string>();
  for await (const row of rows) {
    const found = countPii(row);
    if (Object.keys(found).length === 0) continue;
    counts = addPii(counts, found);
    affected += 1;
    if (units.size < shownUnits) units.add(row.unit);
  }
  return { counts, rows: affected, units: [...units] };
}

/** @throws CliError (exit 3) when any was found */
export function refusePersonal(dataset: string, { counts, rows, units }: Personal): void {
  if (rows === 0) return;
  throw precheckError(
    `${dataset} holds text that looks personal: ${piiText(counts)}, in ${rows} rows (${units.join(", ")}${rows > units.length ? ", …" : ""}). Nothing was written. Look at it with npx attune data show, then export with --pii mask to put marks in its place, or --pii keep if it is nobody's.`,
  );
}

/** What an exported card says besides what it said when the data set was sealed; nothing where nothing was found. */
export function personalNote(policy: PiiPolicy, counts: PiiCounts): string {
  const text = piiText(counts);
  if (text === "") return "";
  const done =
    policy === "mask"
      ? "Each stands masked in these files, as `[email]`, `[phone]`, `[card]` or `[iban]`"
      : "They stand in these files as they were written";
  return `\n## Text that looks personal\n\nFound at export: ${text}. ${done}.\n`;
}
