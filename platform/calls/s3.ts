import { randomUUID } from "node:crypto";
import type { Bucket } from "../s3/bucket.ts";
import { mapPool, requestWidth } from "../s3/pool.ts";
import { type AnsweredBy, attemptLine, paidLine } from "./ledger-line.ts";
import { ledgerReader } from "./ledger-reader.ts";
import { ledgerWriter } from "./ledger-writer.ts";
import type { CallAttempt, CallStore, StoredCall } from "./store.ts";
import { type Tally, tally } from "./tally.ts";

/** An object's content. `write` tells a write whose reply was lost from another's. */
interface Content {
  readonly write: string;
  readonly call: StoredCall;
}

/** Calls that were read or recorded here of late, for the attempts that are noted next. */
const mostAnswers = 50_000;

/** Spread over 256 folders: a server that keeps objects as files, or splits its load by prefix, is the better for it. */
export const callKey = (key: string): string => `calls/${key.slice(0, 2)}/${key}`;
export const failedPrefix = (key: string): string => `failed/${key}/`;

/**
 * Calls as objects, one a call, of which the first is kept. What was paid is written to the run's ledger before the answer is, so that no crash
 * between the two can hide it.
 */
export function s3Calls(bucket: Bucket): CallStore {
  const ledger = ledgerWriter(bucket);
  const tallies = new Map<string, { tally: Tally; read: () => Promise<void> }>();
  const answers = new Map<string, AnsweredBy>();
  /** Answers of this process that lost, until they are noted as waste, by key. */
  const lost = new Map<string, AnsweredBy[]>();
  const putting = new Set<Promise<unknown>>();
  const marking = new Set<Promise<unknown>>();
  let unmarked: string[] = [];
  let isClosed = false;

  const problem = (error: unknown) =>
    new Error(`The call store ${bucket.place} could not be written: ${error instanceof Error ? error.message : String(error)}`, {
      cause: error,
    });
  const track = <T>(within: Set<Promise<unknown>>, work: Promise<T>): Promise<T> => {
    within.add(work);
    const end = () => void within.delete(work);
    work.then(end, end);
    return work;
  };
  const remember = (key: string, { model, fingerprint }: StoredCall) => {
    answers.delete(key);
    answers.set(key, { model, fingerprint });
    const [oldest] = answers.keys();
    if (answers.size > mostAnswers && oldest !== undefined) answers.delete(oldest);
  };

  const read = async (key: string): Promise<Content | null> => {
    const found = await bucket.read(callKey(key));
    if (found === null) return null;
    const content = JSON.parse(found.body.toString("utf8")) as Content;
    remember(key, content.call);
    return content;
  };

  const put = async (call: StoredCall): Promise<{ call: StoredCall; won: boolean }> => {
    const { key, labels, model, fingerprint } = call;
    const write = randomUUID();
    const body = Buffer.from(JSON.stringify({ write, call } satisfies Content));
    await ledger.pay(labels.run, paidLine(call, body.length));
    for (;;) {
      const etag = await bucket.put(callKey(key), body, { when: "absent", metadata: { run: encodeURIComponent(labels.run) } });
      const there = etag === null ? await read(key) : { write, call };
      // Removed since it was found there.
      if (there === null) continue;
      const won = there.write === write;
      if (!won) lost.set(key, [...(lost.get(key) ?? []), { model, fingerprint }]);
      remember(key, there.call);
      return { call: won ? call : there.call, won };
    }
  };

  /** Failures are objects of their own, in order of time, since each process asks for all failures of one call. */
  const markFailed = ({ key, at }: CallAttempt) => {
    const name = `${failedPrefix(key)}${at}/${randomUUID()}`;
    const mark = bucket.put(name, Buffer.alloc(0)).catch(() => {
      unmarked.push(name);
    });
    void track(marking, mark);
  };
  const flush = async () => {
    await ledger.flush();
    await Promise.all(marking);
    const again = unmarked;
    unmarked = [];
    await mapPool(again, requestWidth, async (name) => {
      await bucket.put(name, Buffer.alloc(0)).catch((error: unknown) => {
        unmarked.push(name);
        throw error;
      });
    });
  };

  const tallyOf = async (run: string): Promise<Tally> => {
    await flush();
    const sums = tally();
    const of = tallies.get(run) ?? { tally: sums, read: ledgerReader(bucket, run, sums.add).read };
    tallies.set(run, of);
    await of.read();
    return of.tally;
  };

  return {
    get: async (key) => (await read(key))?.call ?? null,
    put: async (call) => {
      if (isClosed) throw problem("it is closed");
      return track(
        putting,
        put(call).catch((error: unknown) => {
          throw problem(error);
        }),
      );
    },
    note: (attempt) => {
      const { key, outcome, labels } = attempt;
      const own = outcome === "wasted" ? lost.get(key)?.pop() : undefined;
      if (lost.get(key)?.length === 0) lost.delete(key);
      const answeredBy = own ?? answers.get(key);
      ledger.append(labels.run, attemptLine(attempt, { answeredBy, booked: own !== undefined }));
      if (outcome === "failed") markFailed(attempt);
    },
    failures: async (key) => {
      await flush();
      const prefix = failedPrefix(key);
      const times: string[] = [];
      for await (const mark of bucket.list(prefix)) times.push(mark.key.slice(prefix.length).split("/")[0] ?? "");
      return { count: times.length, firstAt: times[0] ?? null };
    },
    spend: async (run) => (await tallyOf(run)).spend,
    spendByStage: async (run) => (await tallyOf(run)).byStage,
    usage: async (run) =>
      (await tallyOf(run)).rows(async (keys) => {
        const found = await mapPool(keys, requestWidth, async (key) => [key, (await read(key))?.call.model] as const);
        return new Map(found.flatMap(([key, model]) => (model === undefined ? [] : [[key, model] as const])));
      }),
    fingerprints: async (run) => (await tallyOf(run)).fingerprints(),
    close: async () => {
      isClosed = true;
      await Promise.allSettled(putting);
      await flush().catch((error: unknown) => {
        throw problem(error);
      });
    },
  };
}
