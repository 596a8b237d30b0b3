import { open } from "node:fs/promises";
import { jobProgress } from "../../contract/job-spec.ts";
import type { JobProgress } from "../../contract/job-spec.ts";

/** Bytes read at a time; a longer line than this is garbage. */
const chunkBytes = 1 << 18;

/** Follows `progress.jsonl` from where it stood last. */
export class ProgressTail {
  readonly #file: string;
  readonly #onGarbage: (line: string) => void;
  #offset = 0;
  #partial = "";
  #latest: JobProgress | null = null;

  /** `onGarbage` gets the beginning of every line that is no progress; the line is left out. */
  constructor(file: string, onGarbage: (line: string) => void) {
    this.#file = file;
    this.#onGarbage = onGarbage;
  }

  /** The newest line, null before the first. */
  get latest(): JobProgress | null {
    return this.#latest;
  }

  /** Lines that were added since the last call; none while the file is not there. */
  async read(): Promise<readonly JobProgress[]> {
    let handle;
    try {
      handle = await open(this.#file);
    } catch {
      return [];
    }
    const lines: JobProgress[] = [];
    try {
      const buffer = Buffer.alloc(chunkBytes);
      for (;;) {
        const { bytesRead } = await handle.read(buffer, 0, chunkBytes, this.#offset);
        if (bytesRead === 0) break;
        this.#offset += bytesRead;
        // latin1 keeps byte offsets and line ends; a multi-byte character cut in two must not eat a line end.
        lines.push(...this.#take(buffer.toString("latin1", 0, bytesRead)));
      }
    } finally {
      await handle.close();
    }
    this.#latest = lines.at(-1) ?? this.#latest;
    return lines;
  }

  #take(text: string): readonly JobProgress[] {
    const parts = (this.#partial + text).split("\n");
    this.#partial = parts.pop() ?? "";
    if (this.#partial.length > chunkBytes) {
      this.#onGarbage(this.#partial.slice(0, 120));
      this.#partial = "";
    }
    return parts.filter((line) => line.trim() !== "").flatMap((line) => this.#parse(line));
  }

  #parse(line: string): readonly JobProgress[] {
    try {
      const parsed = jobProgress.safeParse(JSON.parse(Buffer.from(line, "latin1").toString("utf8")));
      if (parsed.success) return [parsed.data];
    } catch {
      // Falls through: not JSON is garbage like any other.
    }
    this.#onGarbage(line.slice(0, 120));
    return [];
  }
}
