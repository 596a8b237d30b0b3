import { appendFileSync, closeSync, existsSync, openSync, readFileSync, renameSync, writeSync } from "node:fs";

/** Bytes kept of a log's beginning; of its end, one to two times as many are kept. */
const keptBytes = 1 << 20;

const tailOf = (file: string) => `${file}.tail`;
const olderTailOf = (file: string) => `${file}.tail.older`;

/**
 * A log that never grows past three times `kept` bytes: the head stays in `file`, what follows goes to a tail that is
 * turned over when it is full. Files at every moment, so that a killed writer loses nothing.
 */
export class CappedLog {
  readonly #file: string;
  readonly #kept: number;
  #head = 0;
  #tail = 0;
  #descriptor: number;

  constructor(file: string, kept: number = keptBytes) {
    this.#file = file;
    this.#kept = kept;
    this.#descriptor = openSync(file, "a");
  }

  write(chunk: Buffer): void {
    const intoHead = chunk.subarray(0, Math.max(0, this.#kept - this.#head));
    if (intoHead.length > 0) {
      writeSync(this.#descriptor, intoHead);
      this.#head += intoHead.length;
    }
    for (let rest = chunk.subarray(intoHead.length); rest.length > 0;) {
      const part = rest.subarray(0, this.#kept - this.#tail);
      appendFileSync(tailOf(this.#file), part);
      this.#tail += part.length;
      rest = rest.subarray(part.length);
      if (this.#tail >= this.#kept) {
        renameSync(tailOf(this.#file), olderTailOf(this.#file));
        this.#tail = 0;
      }
    }
  }

  close(): void {
    closeSync(this.#descriptor);
  }
}

/** Head and tail with a line between them where something was left out; empty when there is no log. */
export function readCappedLog(file: string): string {
  if (!existsSync(file)) return "";
  const part = (name: string) => (existsSync(name) ? readFileSync(name, "utf8") : "");
  const older = part(olderTailOf(file));
  const gap = older === "" ? "" : "\n… the middle of this log was left out …\n";
  return part(file) + gap + older + part(tailOf(file));
}

/** The last lines of a text, at most `bytes` long: what a failure may carry. */
export function lastLines(text: string, lines = 20, bytes = 2000): string {
  const kept = text.trimEnd().split("\n").slice(-lines).join("\n");
  return kept.length > bytes ? `…${kept.slice(-bytes)}` : kept;
}
