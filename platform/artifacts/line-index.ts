import { createReadStream } from "node:fs";
import { open } from "node:fs/promises";

/** Lines of a file by number from 0, read when they are asked for. */
export interface LineIndex {
  /** Undefined past the last line. */
  line(number: number): Promise<string | undefined>;
}

/** Notes where the lines of a file begin, eight bytes for each, so that one can be read and the file need not fit in memory. It must not change. */
export async function indexLines(file: string): Promise<LineIndex> {
  const starts = [0];
  let read = 0;
  for await (const chunk of createReadStream(file) as AsyncIterable<Buffer>) {
    for (let at = chunk.indexOf(lineFeed); at >= 0; at = chunk.indexOf(lineFeed, at + 1)) starts.push(read + at + 1);
    read += chunk.length;
  }
  if (starts.at(-1) !== read) starts.push(read + 1);
  const bounds = Float64Array.from(starts);
  return {
    line: async (number) => {
      const [start, next] = [bounds[number], bounds[number + 1]];
      if (start === undefined || next === undefined) return undefined;
      const bytes = Buffer.alloc(next - 1 - start);
      const handle = await open(file, "r");
      try {
        const { bytesRead } = await handle.read(bytes, 0, bytes.length, start);
        if (bytesRead < bytes.length) throw new Error(`${file} is shorter than it was: line ${number + 1} can't be read`);
      } finally {
        await handle.close();
      }
      return bytes.toString("utf8");
    },
  };
}

const lineFeed = 0x0a;
