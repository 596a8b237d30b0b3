import { createReadStream, type ReadStream } from "node:fs";

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

/** The values of a JSONL file, in order. A line ends by a line feed alone: JSON leaves U+2028 as it is, where `readline` would break it. */
export async function* parsedLines(file: string): AsyncIterable<unknown> {
  const input = createReadStream(file, "utf8") as AsyncIterable<string> & Pick<ReadStream, "destroy">;
  let rest = "";
  try {
    for await (const chunk of input) {
      const lines = (rest + chunk).split("\n");
      rest = lines.pop() ?? "";
      for (const line of lines) if (line !== "") yield JSON.parse(line) as unknown;
    }
    if (rest !== "") yield JSON.parse(rest) as unknown;
  } finally {
    // A reader that stops early must not leave the file open.
    input.destroy();
  }
}
