import { DatabaseSync } from "node:sqlite";
import { parentPort, workerData } from "node:worker_threads";
import { callsSchema, insertAttempt, insertCall } from "./schema.ts";
import type { CallAttempt, StoredCall } from "./store.ts";

export type WriterRequest =
  | { readonly kind: "call"; readonly id: number; readonly call: StoredCall }
  | { readonly kind: "attempt"; readonly attempt: CallAttempt }
  | { readonly kind: "close" };
export type WriterReply = { readonly committed: readonly { readonly id: number; readonly won: boolean }[]; readonly error?: string } | { readonly closed: true };

/** Arrivals of a few milliseconds share one transaction: one fsync for all of them. */
const groupMs = 3;

const port = parentPort;
if (port === null) throw new Error("calls/writer.ts runs as a worker thread of calls/sqlite.ts only");
const db = new DatabaseSync(workerData as string);
db.exec(callsSchema);
const addCall = db.prepare(insertCall);
const addAttempt = db.prepare(insertAttempt);
let queue: Exclude<WriterRequest, { kind: "close" }>[] = [];
let timer: NodeJS.Timeout | null = null;

const keyOf = (key: string) => Buffer.from(key, "hex");

function write(item: (typeof queue)[number]): boolean {
  if (item.kind === "attempt") {
    const { key, at, labels, role, provider, outcome, cause } = item.attempt;
    addAttempt.run(keyOf(key), at, labels.run, labels.stage, labels.context, labels.arm, role, provider, outcome, cause);
    return true;
  }
  const { key, at, labels, role, provider, model, fingerprint, text, finishReason, refusal, usage, usd } = item.call;
  const { changes } = addCall.run(
    keyOf(key), at, labels.run, labels.stage, labels.context, labels.arm, role, provider, model, fingerprint, text, finishReason, refusal,
    usage.input, usage.cachedInput, usage.output, usd,
  );
  return Number(changes) === 1;
}

function commit(): void {
  timer = null;
  const batch = queue;
  queue = [];
  if (batch.length === 0) return;
  const committed: { id: number; won: boolean }[] = [];
  try {
    db.exec("BEGIN IMMEDIATE");
    for (const item of batch) {
      const won = write(item);
      if (item.kind === "call") committed.push({ id: item.id, won });
    }
    db.exec("COMMIT");
    reply({ committed });
  } catch (error) {
    if (db.isTransaction) db.exec("ROLLBACK");
    // Nothing of the batch is recorded; every waiting caller learns why.
    const ids = batch.flatMap((item) => (item.kind === "call" ? [{ id: item.id, won: false }] : []));
    reply({ committed: ids, error: error instanceof Error ? error.message : String(error) });
  }
}

function reply(message: WriterReply): void {
  port?.postMessage(message);
}

port.on("message", (request: WriterRequest) => {
  if (request.kind === "close") {
    if (timer !== null) clearTimeout(timer);
    commit();
    db.close();
    reply({ closed: true });
    port.close();
    return;
  }
  queue.push(request);
  timer ??= setTimeout(commit, groupMs);
});
