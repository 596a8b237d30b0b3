import { setTimeout as delay } from "node:timers/promises";
import type { CallAttempt, CallStore, StoredCall } from "../calls/store.ts";
import type { Answer, CallRequest, ModelCaller } from "./client.ts";
import { costOf, filteredCall, promptTokens, toStoredCall } from "./completion.ts";
import { GaveUpError, HoldError, RefusedRequestError, UnavailableError } from "./errors.ts";
import { type Exchange, openAiExchange } from "./exchange.ts";
import { type CallFailure, classifyFailure, type Disposition } from "./failure.ts";
import { callKey } from "./key.ts";
import type { CallResult } from "./limiter.ts";
import type { Limiters } from "./limiters.ts";
import { type Witness, witness } from "./own-fault.ts";
import { readFailure } from "./thrown.ts";

/** Tries of one call before Temporal carries on, and the longest wait between them. */
const triesHere = 4;
const longestBackoffMs = 8000;
/** Failures after which a call gives up. Only those count that came while its model answered others: an outage is nobody's own fault. */
const failuresToGiveUp = 12;
/** A model that has answered nobody for so long is out, as far as the failures of a call are not its own. */
const outageMs = 30_000;
const noUsage = { input: 0, cachedInput: 0, output: 0 };

export interface ModelCallerOptions {
  readonly store: CallStore;
  readonly limiters: Limiters;
  readonly exchange?: Exchange;
  readonly now?: () => Date;
  /** Waits between tries; may end early when the signal is aborted. */
  readonly sleep?: (ms: number, signal: AbortSignal) => Promise<void>;
  /** Spreads waits, 0–1. */
  readonly random?: () => number;
}

type Attempt = { readonly stored: StoredCall } | { readonly failure: CallFailure; readonly disposition: Disposition };

export function modelCaller({
  store,
  limiters,
  exchange = openAiExchange(),
  now = () => new Date(),
  sleep = (ms, signal) => delay(ms, undefined, { signal }),
  random = Math.random,
}: ModelCallerOptions): ModelCaller {
  const attemptOf = (
    { labels, role, endpoint, model }: CallRequest,
    key: string,
    outcome: CallAttempt["outcome"],
    cause: string,
  ): CallAttempt => ({
    key,
    at: now().toISOString(),
    labels,
    role,
    provider: endpoint.provider,
    model,
    outcome,
    cause,
    usage: noUsage,
    usd: 0,
  });

  const witnesses = new Map<string, Witness>();
  /** By model: one may be out while others of its provider answer. */
  const witnessOf = ({ endpoint, model }: CallRequest): Witness => {
    const name = JSON.stringify([endpoint.provider, model]);
    const known = witnesses.get(name) ?? witness();
    witnesses.set(name, known);
    return known;
  };
  /** Logged failures of a call that are its own, as far as is known of the time since `begun`; 0 in doubt. */
  const ownFailures = async (key: string, seen: Witness, begun: number): Promise<number> => {
    if (seen.isOutageLikely(key, begun)) return 0;
    const { count, firstAt } = await store.failures(key);
    return firstAt !== null && seen.answeredOthersThan(key, Date.parse(firstAt)) ? count : 0;
  };

  /** Books a lost race as waste: the answer that is used is the one that was recorded first. */
  const record = async (call: StoredCall, request: CallRequest): Promise<StoredCall> => {
    const { call: stored, won } = await store.put(call).catch((error: unknown) => {
      // Asking again would be paid again and not be recorded either: a person must see to the store first.
      throw new HoldError(
        {
          reason: "operator",
          message: `An answer of ${call.provider} can't be recorded: ${error instanceof Error ? error.message : String(error)}`,
          remedy: "See that the data directory has space and can be written, restart the llm worker, then: npx attune resume",
        },
        error,
      );
    });
    if (!won) {
      const { usage, usd } = call;
      store.note({ ...attemptOf(request, call.key, "wasted", "another process recorded this call first"), usage, usd });
    }
    return stored;
  };

  /** One exchange under a slot that is held until the answer is recorded. */
  const attempt = async (request: CallRequest, key: string): Promise<Attempt> => {
    const estimate = {
      input: promptTokens(request),
      cachedInput: 0,
      output: request.sampling.maxTokens,
    };
    const reservation = request.meter.reserve(costOf(estimate, request.price));
    const seen = witnessOf(request);
    let result: CallResult = { outcome: "failed" };
    let tokens: number | undefined;
    try {
      const slot = await limiters.of(request.endpoint).acquire({
        signal: request.signal,
        tokens: estimate.input + estimate.output,
        progress: request.progress ?? 0,
      });
      const sentAt = now().getTime();
      try {
        const call = toStoredCall(await exchange(request, key), request, key, now());
        seen.answered(key, sentAt, now().getTime());
        reservation.settle(call.usd);
        tokens = call.usage.input + call.usage.output;
        const stored = await record(call, request);
        result = { outcome: "ok" };
        return { stored };
      } catch (error) {
        if (request.signal.aborted) {
          seen.ended(key);
          store.note(attemptOf(request, key, "cancelled", ""));
          throw request.signal.reason;
        }
        const failure = readFailure(error);
        if (failure === null) throw error;
        const failedAt = now().getTime();
        const disposition = classifyFailure(failure, failedAt);
        if (disposition.kind === "retry") seen.failed(key, failedAt);
        else if (disposition.kind !== "wait") seen.ended(key);
        if (disposition.kind === "filtered")
          return { stored: await record(filteredCall(describe(failure), request, key, now()), request) };
        if (disposition.kind === "wait") result = { outcome: "rate-limited", retryAfterMs: disposition.retryAfterMs };
        const out = failedAt - seen.answeredAt > outageMs && (await ownFailures(key, seen, Number.POSITIVE_INFINITY)) === 0;
        store.note(
          attemptOf(request, key, disposition.kind === "wait" ? "limited" : out ? "outage" : "failed", describe(failure)),
        );
        return { failure, disposition };
      } finally {
        slot.release(result, tokens);
      }
    } finally {
      reservation.cancel();
    }
  };

  const pause = async (request: CallRequest, cause: string, ms: number): Promise<void> => {
    request.onRetry?.(cause, new Date(now().getTime() + ms));
    await sleep(ms, request.signal).catch(() => undefined);
    if (request.signal.aborted) throw request.signal.reason;
  };
  const backoff = (times: number): number => Math.min(longestBackoffMs, 250 * 2 ** times) * (0.75 + random() / 2);

  const ask = async (request: CallRequest, key: string): Promise<Answer> => {
    const { provider } = request.endpoint;
    const begun = now().getTime();
    const seen = witnessOf(request);
    let failed = 0;
    let limited = 0;
    for (;;) {
      const tried = await attempt(request, key);
      if ("stored" in tried) return toAnswer(tried.stored, false);
      const { disposition } = tried;
      const cause = describe(tried.failure);
      const what = `${provider} (${request.model}): ${cause}`;
      switch (disposition.kind) {
        case "wait":
          limited += 1;
          await pause(request, cause, disposition.retryAfterMs ?? backoff(limited));
          continue;
        case "hold":
          throw new HoldError({ reason: disposition.reason, message: what, remedy: disposition.remedy });
        case "retry": {
          failed += 1;
          const wait = disposition.retryAfterMs ?? backoff(failed);
          // A server that was started anew answers at another address, which only the caller can look up.
          const gone = request.role === "student" && tried.failure.code === "ECONNREFUSED";
          if (!gone && failed < triesHere && wait <= longestBackoffMs * 1.25) {
            await pause(request, cause, wait);
            continue;
          }
          if (!gone && (await ownFailures(key, seen, begun)) >= failuresToGiveUp) {
            seen.ended(key);
            throw new GaveUpError(`${what}; given up, since others are answered`);
          }
          throw new UnavailableError(what, Math.max(wait, 1000));
        }
        default:
          throw new RefusedRequestError(what);
      }
    }
  };

  const asking = new Map<string, Promise<unknown>>();
  const askOnce = async (request: CallRequest, key: string): Promise<Answer> => {
    const answer = ask(request, key).finally(() => asking.delete(key));
    asking.set(key, answer);
    return answer;
  };

  return {
    call: async (request) => {
      const key = callKey({ ...request, provider: request.endpoint.provider });
      for (;;) {
        const recorded = await store.get(key);
        if (recorded !== null) {
          request.meter.reread(recorded);
          store.note(attemptOf(request, key, "reread", ""));
          return toAnswer(recorded, true);
        }
        // Units that begin alike (the arms of one item) ask the same at the same time: one asks, the others re-read.
        const other = asking.get(key);
        if (other === undefined) return askOnce(request, key);
        await endOf(other, request.signal);
      }
    },
  };
}

/** Waits for another's call, however it ends. */
function endOf(call: Promise<unknown>, signal: AbortSignal): Promise<void> {
  return new Promise((resolve, reject) => {
    const abort = () => reject(signal.reason as Error);
    if (signal.aborted) return abort();
    signal.addEventListener("abort", abort, { once: true });
    const end = () => {
      signal.removeEventListener("abort", abort);
      resolve();
    };
    call.then(end, end);
  });
}

function toAnswer(call: StoredCall, reread: boolean): Answer {
  const { key, text, finishReason, refusal, model, usage } = call;
  return { key, text, finishReason, refusal, model, usage, reread };
}

function describe(failure: CallFailure): string {
  const what = String(failure.status ?? failure.code ?? "no answer");
  // The SDK's own messages begin with the status.
  return (failure.message.startsWith(what) ? failure.message : `${what} ${failure.message}`).slice(0, 300);
}
