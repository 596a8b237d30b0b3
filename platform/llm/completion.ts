import { z } from "zod";
import type { StoredCall, Usage } from "../calls/store.ts";
import type { CallRequest, Price } from "./client.ts";

/** A count that is none counts as left out. */
const count = z.number().min(0).transform(Math.ceil).nullish().catch(null);

/** What we read of a provider's answer; lenient, since providers differ. */
const completion = z.looseObject({
  model: z.string().nullish(),
  system_fingerprint: z.string().nullish(),
  choices: z
    .array(
      z.looseObject({
        finish_reason: z.string().nullish(),
        message: z.looseObject({ content: z.string().nullish(), refusal: z.string().nullish() }),
      }),
    )
    .min(1),
  usage: z
    .looseObject({
      prompt_tokens: count,
      completion_tokens: count,
      prompt_tokens_details: z.looseObject({ cached_tokens: count }).nullish().catch(null),
    })
    .nullish()
    .catch(null),
});

/** HTTP 200 with something that is no completion: HTML of a proxy, an error body, a cut stream. */
export class NoCompletionError extends Error {
  override readonly name = "NoCompletionError";
  /** 200, or the status that the body itself names. */
  readonly status: number;
  readonly code: string | null;
  constructor(message: string, { status = 200, code = null }: { status?: number; code?: string | null } = {}) {
    super(message);
    this.status = status;
    this.code = code;
  }
}

/**
 * The record of an answer, whatever it holds; whether it is accepted is the caller's decision. `raw` is the body of an HTTP 200.
 * @throws NoCompletionError when it holds no completion
 */
export function toStoredCall(raw: string, request: CallRequest, key: string, at: Date): StoredCall {
  const body = parseJson(raw);
  const parsed = completion.safeParse(body);
  if (!parsed.success) throw withoutCompletion(body, raw);
  const { choices, model, system_fingerprint, usage: used } = parsed.data;
  const choice = choices[0];
  if (choice === undefined) throw withoutCompletion(body, raw);
  const text = choice.message.content ?? "";
  // A provider that leaves counts out is paid all the same: what it leaves out is estimated, or a cap in money would never be reached.
  const usage: Usage = {
    input: used?.prompt_tokens ?? promptTokens(request),
    cachedInput: used?.prompt_tokens_details?.cached_tokens ?? 0,
    output: used?.completion_tokens ?? tokensOf(text),
  };
  return {
    key,
    at: at.toISOString(),
    labels: request.labels,
    role: request.role,
    provider: request.endpoint.provider,
    model: model ?? request.model,
    fingerprint: system_fingerprint ?? null,
    text: storable(text),
    finishReason: choice.finish_reason ?? "unknown",
    refusal: choice.message.refusal ?? null,
    usage,
    usd: costOf(usage, request.price),
    raw: storable(raw),
  };
}

/** The record of a request that the provider's content filter refused: an outcome, re-read like any other answer. */
export function filteredCall(reason: string, request: CallRequest, key: string, at: Date): StoredCall {
  const usage: Usage = { input: 0, cachedInput: 0, output: 0 };
  return {
    key,
    at: at.toISOString(),
    labels: request.labels,
    role: request.role,
    provider: request.endpoint.provider,
    model: request.model,
    fingerprint: null,
    text: "",
    finishReason: "content_filter",
    refusal: reason,
    usage,
    usd: costOf(usage, request.price),
    raw: "{}",
  };
}

/** Estimated tokens of a request's messages. */
export function promptTokens({ messages }: Pick<CallRequest, "messages">): number {
  return messages.reduce((sum, { content }) => sum + tokensOf(content), 0);
}

/** Four characters a token, rounded up. */
const tokensOf = (text: string) => Math.ceil(text.length / 4);

/** US dollars; null when no price is known, never 0 for that. */
export function costOf(usage: Usage, price: Price | null): number | null {
  if (price === null) return null;
  // Some providers leave cached tokens out of the input.
  const fresh = Math.max(0, usage.input - usage.cachedInput);
  return (fresh * price.input + usage.cachedInput * (price.cachedInput ?? price.input) + usage.output * price.output) / 1_000_000;
}

/** A text column of the call store holds neither lone surrogates nor NUL. */
function storable(text: string): string {
  return text.toWellFormed().replaceAll("\0", "");
}

function parseJson(raw: string): unknown {
  try {
    return JSON.parse(raw);
  } catch {
    throw new NoCompletionError(`200 with a body that is no JSON: ${excerpt(raw)}`);
  }
}

const errorBody = z.looseObject({
  error: z.looseObject({
    code: z.union([z.string(), z.number()]).nullish(),
    type: z.string().nullish(),
    message: z.string().nullish(),
  }),
});

/** A body with `error` and no `choices` is that error. */
function withoutCompletion(body: unknown, raw: string): NoCompletionError {
  const shape = errorBody.safeParse(body);
  if (!shape.success) return new NoCompletionError(`200 without a completion: ${excerpt(raw)}`);
  const { code, type, message } = shape.data.error;
  const status = typeof code === "number" && code >= 400 && code < 600 ? code : 200;
  return new NoCompletionError(`200 with an error: ${message ?? excerpt(raw)}`, {
    status,
    code: typeof code === "string" ? code : (type ?? null),
  });
}

/** What kind of body it was. Its words may be a person's, and what is thrown here ends in histories. */
function excerpt(raw: string): string {
  if (raw.trim() === "") return "empty";
  const start = /^\s*(<[!a-z][^>]{0,60}>)/i.exec(raw)?.[1] ?? (/^\s*[[{]/.test(raw) ? "JSON's beginning" : "text");
  return `${start}, ${raw.length} characters`;
}
