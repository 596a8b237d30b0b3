import { setTimeout as delay } from "node:timers/promises";
import OpenAI from "openai";
import type { CallStore, StoredCall } from "../calls/store.ts";
import type { Answer, CallRequest, Endpoint, ModelCaller } from "./client.ts";
import { toStoredCall } from "./completion.ts";
import { HoldError, RefusedRequestError, UnavailableError } from "./errors.ts";
import { type CallFailure, classifyFailure } from "./failure.ts";
import { keepAliveFetch } from "./http.ts";
import { callKey, callSeed } from "./key.ts";
import { adaptiveLimiter, type Limiter } from "./limiter.ts";
import { readFailure } from "./thrown.ts";

/** Tries of one call before Temporal carries on, and the longest wait between them. */
const triesHere = 4;
const longestBackoffMs = 8000;

export function modelCaller({ store, now = () => new Date() }: { store: CallStore; now?: () => Date }): ModelCaller {
  const limiters = new Map<string, Limiter>();
  const clients = new Map<string, OpenAI>();

  const limiterOf = (endpoint: Endpoint): Limiter => {
    const existing = limiters.get(endpoint.provider);
    if (existing !== undefined) return existing;
    const made = adaptiveLimiter(endpoint);
    limiters.set(endpoint.provider, made);
    return made;
  };

  const clientOf = (endpoint: Endpoint): OpenAI => {
    const name = `${endpoint.provider} ${endpoint.baseUrl}`;
    const existing = clients.get(name);
    if (existing !== undefined) return existing;
    const made = new OpenAI({
      baseURL: endpoint.baseUrl,
      apiKey: apiKey(endpoint),
      maxRetries: 0,
      timeout: endpoint.timeoutMs,
      fetch: keepAliveFetch(endpoint.width),
    });
    clients.set(name, made);
    return made;
  };

  /** One exchange under a slot that is held until the answer is recorded. */
  const attempt = async (request: CallRequest, key: string): Promise<{ stored: StoredCall } | { failure: CallFailure }> => {
    const limiter = limiterOf(request.endpoint);
    const slot = await limiter.acquire(request.signal);
    let outcome: Parameters<typeof slot.release>[0] = { outcome: "failed" };
    let tokens = 0;
    try {
      const body = await clientOf(request.endpoint).chat.completions.create(toBody(request), { signal: request.signal, headers: { "x-attune-key": key } });
      const call = toStoredCall(body, request, key, now());
      request.meter.settle(call.usd);
      tokens = call.usage.input + call.usage.output;
      const { call: stored, won } = await store.put(call);
      if (!won) store.note({ ...attemptOf(request, key), outcome: "wasted", cause: "another process recorded this call first" });
      outcome = { outcome: "ok" };
      return { stored };
    } catch (error) {
      if (request.signal.aborted) throw request.signal.reason;
      if (error instanceof HoldError) throw error;
      const failure = readFailure(error);
      if (failure === null) throw error;
      const disposition = classifyFailure(failure, now().getTime());
      store.note({ ...attemptOf(request, key), outcome: "failed", cause: describe(failure) });
      if (disposition.kind === "wait") outcome = { outcome: "rate-limited", retryAfterMs: disposition.retryAfterMs };
      return { failure };
    } finally {
      slot.release(outcome, tokens);
    }
  };

  const attemptOf = (request: CallRequest, key: string) => ({
    key,
    at: now().toISOString(),
    labels: request.labels,
    role: request.role,
    provider: request.endpoint.provider,
  });

  const ask = async (request: CallRequest, key: string): Promise<Answer> => {
    let failed = 0;
    for (;;) {
      request.meter.reserve();
      const result = await attempt(request, key);
      if ("stored" in result) return toAnswer(result.stored, false);
      const { failure } = result;
      const disposition = classifyFailure(failure, now().getTime());
      const what = `${request.endpoint.provider} (${request.model}): ${describe(failure)}`;
      switch (disposition.kind) {
        case "wait":
          request.onRetry?.(describe(failure), new Date(now().getTime() + (disposition.retryAfterMs ?? 1000)));
          continue;
        case "hold":
          throw new HoldError({ reason: disposition.reason, message: what, remedy: disposition.remedy });
        case "filtered":
          return { key, text: "", finishReason: "content_filter", refusal: describe(failure), model: request.model, usage: { input: 0, cachedInput: 0, output: 0 }, reread: false };
        case "refused":
          throw new RefusedRequestError(what);
        case "retry": {
          failed += 1;
          const wait = disposition.retryAfterMs ?? Math.min(longestBackoffMs, 250 * 2 ** failed) * (0.75 + Math.random() / 2);
          if (failed >= triesHere) throw new UnavailableError(what, Math.max(wait, 1000));
          request.onRetry?.(describe(failure), new Date(now().getTime() + wait));
          await delay(wait, undefined, { signal: request.signal }).catch(() => undefined);
          if (request.signal.aborted) throw request.signal.reason;
        }
      }
    }
  };

  return {
    call: async (request) => {
      const key = callKey({
        role: request.role,
        provider: request.endpoint.provider,
        model: request.model,
        weights: request.weights,
        messages: request.messages,
        sampling: request.sampling,
        schema: request.schema,
        unit: request.unit,
        turn: request.turn,
        sample: request.sample,
        epoch: request.epoch,
      });
      const recorded = await store.get(key);
      if (recorded === null) return ask(request, key);
      request.meter.reread();
      store.note({ ...attemptOf(request, key), outcome: "reread", cause: "" });
      return toAnswer(recorded, true);
    },
    widths: () => Object.fromEntries([...limiters].map(([provider, { width, inFlight }]) => [provider, { width, inFlight }])),
  };
}

function apiKey({ apiKeyEnv, provider }: Endpoint): string {
  if (apiKeyEnv === undefined) return "none";
  const key = process.env[apiKeyEnv];
  if (key !== undefined && key !== "") return key;
  throw new HoldError({
    reason: "auth",
    message: `The provider ${provider} needs a key in ${apiKeyEnv}, which is not set where this worker runs`,
    remedy: `Set ${apiKeyEnv} in the worker's environment and restart it, then: attune resume`,
  });
}

function toBody(request: CallRequest): OpenAI.ChatCompletionCreateParamsNonStreaming {
  const { temperature, topP, maxTokens } = request.sampling;
  return {
    model: request.model,
    messages: request.messages.map((message) => ({ ...message })),
    temperature,
    top_p: topP,
    max_tokens: maxTokens,
    seed: callSeed(request),
    ...(request.schema !== null && request.endpoint.jsonSchema
      ? { response_format: { type: "json_schema", json_schema: { name: request.schema.name, schema: { ...request.schema.schema }, strict: true } } }
      : {}),
  };
}

function toAnswer(call: StoredCall, reread: boolean): Answer {
  const { key, text, finishReason, refusal, model, usage } = call;
  return { key, text, finishReason, refusal, model, usage, reread };
}

function describe(failure: CallFailure): string {
  return `${failure.status ?? failure.code ?? "no answer"} ${failure.message}`.slice(0, 300);
}
