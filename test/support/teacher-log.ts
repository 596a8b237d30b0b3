import { readFileSync } from "node:fs";
import type { LogLine } from "../../rehearsal/log.ts";

/** What the rehearsal teacher logs from here on, oldest first, each time it is called. */
export function listenTo(file: string): () => readonly LogLine[] {
  const read = () =>
    readFileSync(file, "utf8")
      .split("\n")
      .slice(0, -1)
      .map((line) => JSON.parse(line) as LogLine);
  const from = read().length;
  return () => read().slice(from);
}

export function keysOf(lines: readonly LogLine[]): readonly string[] {
  return lines.flatMap(({ key }) => key ?? []);
}

/** Keys of the requests that were answered with a completion. */
export function answered(lines: readonly LogLine[]): readonly string[] {
  return keysOf(lines.filter(({ status }) => status === 200));
}

/** Requests that came though their call had been answered before. */
export function again(lines: readonly LogLine[]): readonly LogLine[] {
  const done = new Set<string | null>();
  return lines.filter(({ key, status }) => {
    const before = done.has(key);
    if (status === 200) done.add(key);
    return before;
  });
}
