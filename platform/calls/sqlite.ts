import { Worker } from "node:worker_threads";
import { openDatabase } from "../sqlite.ts";
import type { Spend } from "../../contract/units.ts";
import { callsSchema, selectFailures, selectFingerprints, selectSpend, selectSpendByStage, selectUsage } from "./schema.ts";
import type { CallStore, Failures, FingerprintRow, StoredCall, UsageRow } from "./store.ts";
import { queryAside } from "./query-aside.ts";
import type { WriterReply, WriterRequest } from "./writer.ts";

interface Waiting {
  readonly resolve: (won: boolean) => void;
  readonly reject: (error: Error) => void;
}

/**
 * Calls in one SQLite file, shared by all processes of a machine. Writes go through a writer thread (group commit), so an fsync never holds
 * the event loop; reads are look-ups on a connection of their own, and what has to go through all calls of a run is read in a thread.
 */
export function sqliteCalls(file: string): CallStore {
  const db = openDatabase(file, callsSchema);
  const select = db.prepare("SELECT * FROM calls WHERE key = ?");
  const failures = db.prepare(selectFailures);
  const spend = db.prepare(selectSpend);
  const spendByStage = db.prepare(selectSpendByStage);
  const writer = new Worker(new URL("./writer.ts", import.meta.url), { workerData: file });
  const waiting = new Map<number, Waiting>();
  let nextId = 0;
  let ended: Error | null = null;
  let onEnd: (() => void) | null = null;

  const read = (key: string): StoredCall | null => {
    const row = select.get(Buffer.from(key, "hex")) as unknown as Row | undefined;
    return row === undefined ? null : toCall(key, row);
  };
  const problem = (message: string) => new Error(`The call store ${file} could not be written: ${message}`);

  writer.on("message", ({ committed, error }: WriterReply) => {
    for (const { id, won } of committed) {
      const entry = waiting.get(id);
      waiting.delete(id);
      if (entry === undefined) continue;
      if (error !== undefined) entry.reject(problem(error));
      else entry.resolve(won);
    }
    if (waiting.size === 0 && onEnd === null) writer.unref();
  });
  writer.on("error", (error: Error) => (ended = problem(error.message)));
  writer.on("exit", () => {
    ended ??= problem("it is closed");
    for (const entry of waiting.values()) entry.reject(ended);
    waiting.clear();
    onEnd?.();
  });
  // An idle store must not keep a process alive; a pending write does.
  writer.unref();
  // oxlint-disable-next-line unicorn/require-post-message-target-origin -- a worker thread, no window
  const send = (request: WriterRequest) => writer.postMessage(request);
  const written = (request: (id: number) => WriterRequest): Promise<boolean> =>
    new Promise((resolve, reject) => {
      // A thread that has ended takes messages in silence.
      if (ended !== null) return reject(ended);
      nextId += 1;
      if (waiting.size === 0) writer.ref();
      waiting.set(nextId, { resolve, reject });
      send(request(nextId));
    });
  /** So that the ledger holds what this process has noted. */
  const flush = () => written((id) => ({ kind: "flush", id }));

  return {
    get: async (key) => read(key),
    put: async (call) => {
      const won = await written((id) => ({ kind: "call", id, call }));
      return { call: won ? call : (read(call.key) ?? call), won };
    },
    note: (attempt) => send({ kind: "attempt", attempt }),
    failures: async (key) => {
      await flush();
      const { count, firstAt } = failures.get(Buffer.from(key, "hex")) as unknown as Failures;
      return { count, firstAt };
    },
    spend: async (run) => {
      await flush();
      const { calls, reread, usd } = spend.get({ run }) as unknown as Spend;
      return { calls, reread, usd };
    },
    spendByStage: async (run) => {
      await flush();
      const rows = spendByStage.all({ run }) as unknown as (Spend & { stage: string })[];
      return Object.fromEntries(rows.map(({ stage, calls, reread, usd }) => [stage, { calls, reread, usd }]));
    },
    usage: async (run) => {
      await flush();
      return queryAside<UsageRow>(file, selectUsage, { run });
    },
    fingerprints: async (run) => {
      await flush();
      return queryAside<FingerprintRow>(file, selectFingerprints, { run });
    },
    close: async () => {
      if (ended === null) {
        await new Promise<void>((resolve) => {
          onEnd = resolve;
          writer.ref();
          send({ kind: "close" });
        });
      }
      if (db.isOpen) db.close();
    },
  };
}

type Row = Omit<StoredCall, "key" | "labels" | "usage"> & StoredCall["labels"] & StoredCall["usage"];

function toCall(key: string, { run, stage, context, arm, input, cachedInput, output, ...rest }: Row): StoredCall {
  return { ...rest, key, labels: { run, stage, context, arm }, usage: { input, cachedInput, output } };
}
