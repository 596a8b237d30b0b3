import { mkdirSync } from "node:fs";
import { dirname } from "node:path";
import { DatabaseSync } from "node:sqlite";
import { Worker } from "node:worker_threads";
import type { Spend } from "../../contract/units.ts";
import { callsSchema, selectSpend, selectUsage } from "./schema.ts";
import type { CallStore, StoredCall, UsageRow } from "./store.ts";
import type { WriterReply, WriterRequest } from "./writer.ts";

interface Waiting {
  readonly call: StoredCall;
  readonly resolve: (answer: { call: StoredCall; won: boolean }) => void;
  readonly reject: (error: Error) => void;
}

/**
 * Calls in one SQLite file, shared by all processes of a machine. Writes go through a writer thread (group commit), so an fsync never holds
 * the event loop; reads are point look-ups on a connection of their own.
 */
export function sqliteCalls(file: string): CallStore {
  mkdirSync(dirname(file), { recursive: true });
  const db = new DatabaseSync(file);
  db.exec(callsSchema);
  const select = db.prepare("SELECT * FROM calls WHERE key = ?");
  const usage = db.prepare(selectUsage);
  const spend = db.prepare(selectSpend);
  const writer = new Worker(new URL("./writer.ts", import.meta.url), { workerData: file });
  const waiting = new Map<number, Waiting>();
  let nextId = 0;
  let onClosed: (() => void) | null = null;

  const read = (key: string): StoredCall | null => {
    const row = select.get(Buffer.from(key, "hex")) as unknown as Row | undefined;
    return row === undefined ? null : toCall(key, row);
  };

  writer.on("message", (message: WriterReply) => {
    if ("closed" in message) return onClosed?.();
    for (const { id, won } of message.committed) {
      const entry = waiting.get(id);
      waiting.delete(id);
      if (waiting.size === 0) writer.unref();
      if (entry === undefined) continue;
      if (message.error !== undefined) entry.reject(new Error(`The call store ${file} could not be written: ${message.error}`));
      else entry.resolve(won ? { call: entry.call, won } : { call: read(entry.call.key) ?? entry.call, won });
    }
  });
  writer.on("error", (error) => {
    for (const entry of waiting.values()) entry.reject(error as Error);
    waiting.clear();
  });
  // An idle store must not keep a process alive; a pending write does.
  writer.unref();
  const send = (request: WriterRequest) => writer.postMessage(request);

  return {
    get: async (key) => read(key),
    put: (call) =>
      new Promise((resolve, reject) => {
        nextId += 1;
        if (waiting.size === 0) writer.ref();
        waiting.set(nextId, { call, resolve, reject });
        send({ kind: "call", id: nextId, call });
      }),
    note: (attempt) => send({ kind: "attempt", attempt }),
    spend: async (run) => {
      const row = spend.get(run, run, run, run, run) as unknown as Spend & { priced: number };
      return { calls: row.calls, reread: row.reread, usd: row.priced === 0 ? 0 : row.usd };
    },
    usage: async (run) => usage.all(run, run) as unknown as UsageRow[],
    close: () =>
      new Promise((resolve) => {
        writer.ref();
        onClosed = () => {
          db.close();
          resolve();
        };
        send({ kind: "close" });
      }),
  };
}

type Row = Omit<StoredCall, "key" | "labels" | "usage"> & StoredCall["labels"] & StoredCall["usage"];

function toCall(key: string, row: Row): StoredCall {
  const { at, run, stage, context, arm, role, provider, model, fingerprint, text, finishReason, refusal, input, cachedInput, output, usd } = row;
  return { key, at, labels: { run, stage, context, arm }, role, provider, model, fingerprint, text, finishReason, refusal, usage: { input, cachedInput, output }, usd };
}
