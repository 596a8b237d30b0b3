import { randomUUID } from "node:crypto";
import type { Bucket } from "../s3/bucket.ts";
import { mapPool, requestWidth } from "../s3/pool.ts";
import { type LedgerLine, ledgerOf, segmentName, toText } from "./ledger-line.ts";

/** Payments of a few milliseconds share an object. */
const groupMs = 20;
/** Other lines wait so long for company, or until there are so many. */
const patienceMs = 2000;
const mostLines = 500;

interface Waiting {
  readonly resolve: () => void;
  readonly reject: (error: unknown) => void;
}

interface Open {
  lines: LedgerLine[];
  waiting: Waiting[];
  timer: NodeJS.Timeout | null;
  due: number;
  next: number;
}

/** Writes a process's part of the runs' ledgers: numbered objects of some lines each. */
export interface LedgerWriter {
  /** Resolves when the line is stored. */
  pay(run: string, line: LedgerLine): Promise<void>;
  /** In the background, within seconds. */
  append(run: string, line: LedgerLine): void;
  /** Until all is stored. @throws when something can't be; it is kept, and tried again with the next flush */
  flush(): Promise<void>;
}

export function ledgerWriter(bucket: Bucket): LedgerWriter {
  const process = randomUUID();
  const runs = new Map<string, Open>();
  const writing = new Set<Promise<void>>();
  /** Segments that could not be stored: their numbers must not stay free, and their payments were made. */
  const failed = new Map<string, Uint8Array>();

  const store = async (key: string, body: Uint8Array) => {
    try {
      await bucket.put(key, body);
      failed.delete(key);
    } catch (error) {
      failed.set(key, body);
      throw error;
    }
  };

  const write = (run: string, open: Open) => {
    if (open.timer !== null) clearTimeout(open.timer);
    open.timer = null;
    if (open.lines.length === 0) return;
    const { lines, waiting } = open;
    [open.lines, open.waiting] = [[], []];
    open.next += 1;
    const stored = store(ledgerOf(run) + segmentName(process, open.next), Buffer.from(toText(lines)))
      .then(
        () => waiting.forEach(({ resolve }) => resolve()),
        (error: unknown) => waiting.forEach(({ reject }) => reject(error)),
      )
      .finally(() => writing.delete(stored));
    writing.add(stored);
  };

  const add = (run: string, line: LedgerLine, withinMs: number): Open => {
    const open = runs.get(run) ?? { lines: [], waiting: [], timer: null, due: Infinity, next: 0 };
    runs.set(run, open);
    open.lines.push(line);
    const due = performance.now() + withinMs;
    if (open.timer === null || due < open.due) {
      if (open.timer !== null) clearTimeout(open.timer);
      open.due = due;
      open.timer = setTimeout(() => write(run, open), withinMs);
    }
    return open;
  };

  return {
    pay: (run, line) =>
      new Promise((resolve, reject) => {
        const open = add(run, line, groupMs);
        open.waiting.push({ resolve, reject });
        if (open.lines.length >= mostLines) write(run, open);
      }),
    append: (run, line) => {
      const open = add(run, line, patienceMs);
      if (open.lines.length >= mostLines) write(run, open);
    },
    flush: async () => {
      for (const [run, open] of runs) write(run, open);
      await Promise.all(writing);
      await mapPool([...failed], requestWidth, ([key, body]) => store(key, body));
    },
  };
}
