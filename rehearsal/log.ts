import { openSync, writeSync } from "node:fs";

/** A line of the log: one a request, in the order they were answered. */
export interface LogLine {
  readonly at: string;
  /** Value of `x-attune-key`. */
  readonly key: string | null;
  readonly role: string | null;
  readonly model: string | null;
  readonly fault: string | null;
  /** HTTP status; 0 where the connection was cut, or left silent after the headers. */
  readonly status: number;
  readonly ms: number;
}

/** Opens an append-only log; each line is one write, so that a killed server loses none it has answered. */
export function openLog(file: string | undefined): (line: LogLine) => void {
  if (file === undefined) return () => undefined;
  const descriptor = openSync(file, "a");
  return (line) => {
    writeSync(descriptor, `${JSON.stringify(line)}\n`);
  };
}
