import { existsSync, statSync } from "node:fs";
import { setTimeout as sleep } from "node:timers/promises";
import { openDatabase } from "../sqlite.ts";
import {
  countUsed,
  createDoomed,
  deleteAttempts,
  deleteCalls,
  deleteDoomed,
  fillDoomed,
  fillUsed,
  selectDoomed,
  selectRuns,
  selectShared,
} from "./cache-queries.ts";
import { callsSchema } from "./schema.ts";

/** What is recorded under a run. */
export interface RunCalls {
  /** The run's digest, with `@<night>` for a night. */
  readonly run: string;
  readonly calls: number;
  readonly inputTokens: number;
  readonly cachedInputTokens: number;
  readonly outputTokens: number;
  /** Of the calls whose price is known; `unpriced` counts the others. */
  readonly knownUsd: number;
  readonly unpriced: number;
  /** Its records' own content; a file holds more. */
  readonly bytes: number;
  /** When the run last recorded, re-read or tried a call. */
  readonly lastUsedAt: string;
}

/** What removing would take away. */
export interface Removal {
  readonly calls: number;
  readonly knownUsd: number;
  readonly unpriced: number;
  /** Calls among them that other runs have re-read, by run. */
  readonly shared: readonly { readonly run: string; readonly calls: number }[];
  /** Calls that stay, since an open run has re-read them. */
  readonly kept: number;
}

interface Selection {
  readonly runs: readonly string[];
  /** Runs that are open: what they have re-read of others' calls stays. */
  readonly open: readonly string[];
}

/** The call store as a whole, for its keeper: what it holds by run, and the removal of runs' calls and ledgers. Workers may write meanwhile. */
export interface CallCache {
  runs(): Promise<readonly RunCalls[]>;
  /** Marks what `remove` takes; nothing is changed. */
  mark(selection: Selection): Promise<Removal>;
  /** Removes what was marked last, in short transactions, and the runs' own log of attempts. */
  remove(): Promise<void>;
  /** Bytes of the file and its write-ahead log, or of all objects, and of it the bytes that hold nothing. */
  size(): Promise<{ readonly bytes: number; readonly free: number }>;
  /**
   * Writes the file anew without its free space; other writers wait meanwhile. False: the space is given back when others let go of the log.
   * @throws when the file is busy or the disk is full; nothing is lost then
   */
  compact(): Promise<boolean>;
  close(): void;
}

/** Rows of one transaction: some 10 ms, so that no worker waits long for its own. */
const batchRows = 500;

const patienceMs = 10_000;

/** null: no call was recorded yet. */
export function openCallCache(file: string): CallCache | null {
  if (!existsSync(file)) return null;
  const db = openDatabase(file, callsSchema);
  db.exec(createDoomed);
  let marked: readonly string[] = [];
  const pragma = (name: string) => Object.values(db.prepare(`PRAGMA ${name}`).get() ?? {}).map(Number)[0] ?? 0;

  /** Repeats a removal until it finds nothing; between two, others have as long as it took. */
  const inBatches = async (step: () => number) => {
    for (;;) {
      const began = performance.now();
      db.exec("BEGIN IMMEDIATE");
      let removed = 0;
      try {
        removed = step();
        db.exec("COMMIT");
      } catch (error) {
        if (db.isTransaction) db.exec("ROLLBACK");
        throw error;
      }
      if (removed === 0) return;
      await sleep(performance.now() - began);
    }
  };

  return {
    runs: async () =>
      db
        .prepare(selectRuns)
        .all()
        .map((row) => ({ ...row }) as unknown as RunCalls),
    mark: async ({ runs, open }) => {
      marked = runs;
      const named = { runs: JSON.stringify(runs) };
      db.exec(createDoomed);
      db.prepare(fillUsed).run({ open: JSON.stringify(open) });
      db.prepare(fillDoomed).run(named);
      const { calls: kept } = db.prepare(countUsed).get(named) as { calls: number };
      const taken = db.prepare(selectDoomed).get() as unknown as Omit<Removal, "shared" | "kept">;
      const shared = db.prepare(selectShared).all(named) as unknown as Removal["shared"];
      return { ...taken, kept, shared: shared.map((row) => ({ ...row })) };
    },
    remove: async () => {
      const most = { most: batchRows };
      const [calls, doomed, attempts] = [db.prepare(deleteCalls), db.prepare(deleteDoomed), db.prepare(deleteAttempts)];
      await inBatches(() => {
        calls.run(most);
        return Number(doomed.run(most).changes);
      });
      const runs = JSON.stringify(marked);
      await inBatches(() => Number(attempts.run({ ...most, runs }).changes));
    },
    size: async () => {
      const log = statSync(`${file}-wal`, { throwIfNoEntry: false })?.size ?? 0;
      return { bytes: statSync(file).size + log, free: pragma("freelist_count") * pragma("page_size") };
    },
    compact: async () => {
      db.exec("VACUUM");
      // The file shrinks when the log is written back to it. While another process does that itself, SQLite answers busy at once.
      for (const until = performance.now() + patienceMs; performance.now() < until; await sleep(100))
        if (pragma("wal_checkpoint(TRUNCATE)") === 0) return true;
      return false;
    },
    close: () => db.close(),
  };
}
