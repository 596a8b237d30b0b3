import { createHash } from "node:crypto";
import { readFile, realpath, stat } from "node:fs/promises";
import { join, relative, sep } from "node:path";
import { type RowProblem, utf8Text } from "../../configs/schema/jsonl.ts";
import { type CliError, usageError } from "../errors.ts";

export const inputNames = ["humanData", "guideLabels", "evaluatorLabels", "anchors"] as const;
export type InputName = (typeof inputNames)[number];

/** A file that an experiment names, read once: what was checked is what the run gets. */
export interface InputFile {
  /** The key that names it, like `measure.humanData`. */
  readonly key: string;
  /** Its path from where the command runs, for messages. */
  readonly shown: string;
  readonly content: Buffer;
  readonly text: string;
  readonly sha256: string;
}

/**
 * A file with rows below the root, links followed: nothing outside may be read through a configuration.
 * @throws CliError (exit 2) when it is absent, outside, no regular file, empty or not UTF-8
 */
export async function readInput(root: string, key: string, path: string): Promise<InputFile> {
  const file = join(root, path);
  const shown = relative(process.cwd(), file) || file;
  const real = await realpath(file).catch(() => null);
  if (real === null) throw usageError(`${key} is ${path}, and ${shown} does not exist.`);
  if (!real.startsWith((await realpath(root)) + sep))
    throw usageError(`${key} is ${path}, a link that leads outside ${root}; copy the file into the project.`);
  if (!(await stat(real)).isFile()) throw usageError(`${key} is ${path}, which is no file; name the JSONL file itself.`);
  const content = await readFile(real).catch((error: unknown) => {
    throw usageError(`${key} is ${path}, which can't be read: ${error instanceof Error ? error.message : String(error)}.`);
  });
  const text = utf8Text(content);
  if (text === null)
    throw usageError(`${shown} (${key}) is not UTF-8 text; save it as UTF-8, for example with iconv -f WINDOWS-1252 -t UTF-8.`);
  if (text.trim() === "") throw usageError(`${shown} (${key}) is empty; write a row of JSON on each line.`);
  return { key, shown, content, text, sha256: createHash("sha256").update(content).digest("hex") };
}

/** Rows a message names before it says how many more there are. */
const shownRows = 10;

/** One error for all rows that can't be used, each by file, line and field. */
export function badRows({ shown }: InputFile, problems: readonly RowProblem[], remedy: string): CliError {
  const lines = problems
    .slice(0, shownRows)
    .map(({ line, field, problem }) => `${shown}:${line}: ${field === "" ? "" : `${field}: `}${problem}`);
  const more = problems.length > shownRows ? [`… and ${problems.length - shownRows} more`] : [];
  return usageError([...lines, ...more, remedy].join("\n        "));
}
