import { createReadStream } from "node:fs";
import { createInterface } from "node:readline";

/** Lines are gathered to about this size before they are hashed and written. */
const chunkBytes = 256 * 1024;

/** One JSON text a line; counts the rows that it has given out. */
export async function* jsonLines(
  rows: Iterable<unknown> | AsyncIterable<unknown>,
  count: { rows: number },
): AsyncIterable<Uint8Array> {
  let gathered = "";
  for await (const row of rows) {
    const line = JSON.stringify(row);
    if (line === undefined) throw new TypeError(`Row ${count.rows + 1} has no JSON form`);
    gathered += `${line}\n`;
    count.rows += 1;
    if (gathered.length < chunkBytes) continue;
    yield Buffer.from(gathered);
    gathered = "";
  }
  yield Buffer.from(gathered);
}

/** The values of a JSONL file, in order. */
export async function* parsedLines(file: string): AsyncIterable<unknown> {
  const input = createReadStream(file);
  try {
    for await (const line of createInterface({ input, crlfDelay: Infinity })) if (line !== "") yield JSON.parse(line) as unknown;
  } finally {
    // A reader that stops early must not leave the file open.
    input.destroy();
  }
}
