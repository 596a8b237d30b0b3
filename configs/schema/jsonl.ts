import type { z } from "zod";

/** What is wrong with a row; `line` counts from 1. */
export interface RowProblem {
  readonly line: number;
  readonly field: string;
  readonly problem: string;
}

/** A row with the line it stands on. */
export type Placed<Row> = Row & { readonly line: number };

export interface Rows<Row> {
  readonly rows: readonly Placed<Row>[];
  readonly problems: readonly RowProblem[];
}

/** Text without a byte order mark; null when the bytes are not UTF-8: replaced letters would pass for written ones. */
export function utf8Text(bytes: Uint8Array): string | null {
  try {
    return new TextDecoder("utf-8", { fatal: true }).decode(bytes);
  } catch {
    return null;
  }
}

/** Reads JSONL, row by row: what can't be used is reported by line and field, never guessed. Blank lines are no rows. */
export function readRows<Row extends object>(schema: z.ZodType<Row>, text: string): Rows<Row> {
  const rows: Placed<Row>[] = [];
  const problems: RowProblem[] = [];
  for (const [index, source] of text.split("\n").entries()) {
    if (source.trim() === "") continue;
    const line = index + 1;
    const value = parse(source);
    if (value === undefined) {
      problems.push({ line, field: "", problem: "is no JSON" });
      continue;
    }
    const parsed = schema.safeParse(value);
    if (parsed.success) rows.push({ ...parsed.data, line });
    else problems.push(...parsed.error.issues.map(({ path, message }) => ({ line, field: path.join("."), problem: message })));
  }
  return { rows, problems };
}

function parse(source: string): unknown {
  try {
    return JSON.parse(source) as unknown;
  } catch {
    return undefined;
  }
}
