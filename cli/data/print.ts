import { pipeline } from "node:stream/promises";

/** Writes to stdout as fast as its reader takes it; a reader that has seen enough (`| head`) ends the command in order. */
export async function print(texts: AsyncIterable<string>): Promise<void> {
  try {
    await pipeline(texts, process.stdout, { end: false });
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== "EPIPE") throw error;
  }
}
