import { parentPort, workerData } from "node:worker_threads";
import { openDatabase } from "../sqlite.ts";
import { callsSchema, insertAttempt, insertCall } from "./schema.ts";
import type { CallAttempt, StoredCall } from "./store.ts";

export type WriterRequest =
  | { readonly kind: "call"; readonly id: number; readonly call: StoredCall }
  | { readonly kind: "attempt"; readonly attempt: CallAttempt }
  /** Answered when all before it is written. */
  | { readonly kind: "flush"; readonly id: number }
  | { readonly kind: "close" };
export interface WriterReply {
  readonly committed: readonly { readonly id: number; readonly won: boolean }[];
  /** Nothing of the batch was written. */
  readonly error?: string;
}

const port = parentPort;
if (port === null) throw new Error("calls/writer.ts runs as a worker thread of calls/sqlite.ts only");
const db = openDatabase(workerData as string, callsSchema);
const addCall = db.prepare(insertCall);
const addAttempt = db.prepare(insertAttempt);
let queue: Exclude<WriterRequest, { kind: "close" }>[] = [];
/** What has arrived by now, and all that comes while one transaction is written, share the next: one fsync for all of them. */
let next: NodeJS.Immediate | null = null;

/** True when the row is new. */
function write(item: (typeof queue)[number]): boolean {
  if (item.kind === "flush") return false;
  if (item.kind === "attempt") {
    const { key, at, labels, role, provider, model, outcome, cause, usage, usd } = item.attempt;
    const { run, stage, context, arm } = labels;
    const { input, cachedInput, output } = usage;
    addAttempt.run(
      Buffer.from(key, "hex"),
      at,
      run,
      stage,
      context,
      arm,
      role,
      provider,
      model,
      outcome,
      cause,
      input,
      cachedInput,
      output,
      usd,
    );
    return true;
  }
  const { key, at, labels, role, provider, model, fingerprint, text, finishReason, refusal, usage, usd, raw } = item.call;
  const { run, stage, context, arm } = labels;
  const { input, cachedInput, output } = usage;
  const id = Buffer.from(key, "hex");
  const where = [run, stage, context, arm, role, provider, model] as const;
  const { changes } = addCall.run(
    id,
    at,
    ...where,
    fingerprint,
    text,
    finishReason,
    refusal,
    input,
    cachedInput,
    output,
    usd,
    raw,
  );
  return Number(changes) === 1;
}

function commit(): void {
  next = null;
  const batch = queue;
  queue = [];
  if (batch.length === 0) return;
  const committed: { id: number; won: boolean }[] = [];
  try {
    db.exec("BEGIN IMMEDIATE");
    for (const item of batch) {
      const won = write(item);
      if (item.kind !== "attempt") committed.push({ id: item.id, won });
    }
    db.exec("COMMIT");
    reply({ committed });
  } catch (error) {
    if (db.isTransaction) db.exec("ROLLBACK");
    // Nobody waits for what was only noted: it goes with the next transaction.
    queue.unshift(...batch.filter((item) => item.kind === "attempt"));
    // Every waiting caller learns why its record is not there.
    const ids = batch.flatMap((item) => (item.kind === "attempt" ? [] : [{ id: item.id, won: false }]));
    reply({ committed: ids, error: error instanceof Error ? error.message : String(error) });
  }
}

function reply(message: WriterReply): void {
  port?.postMessage(message);
}

port.on("message", (request: WriterRequest) => {
  if (request.kind === "close") {
    if (next !== null) clearImmediate(next);
    commit();
    db.close();
    port.close();
    return;
  }
  queue.push(request);
  next ??= setImmediate(commit);
});
