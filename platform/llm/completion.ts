import { z } from "zod";
import type { StoredCall, Usage } from "../calls/store.ts";
import type { CallRequest, Price } from "./client.ts";

/** What we read of a provider's answer; lenient, since providers differ. */
const completion = z.looseObject({
  model: z.string().optional(),
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
      prompt_tokens: z.number().nullish(),
      completion_tokens: z.number().nullish(),
      prompt_tokens_details: z.looseObject({ cached_tokens: z.number().nullish() }).nullish(),
    })
    .nullish(),
});

/** HTTP 200 with something that is no completion: HTML of a proxy, an error body, a cut stream. */
export class NoCompletionError extends Error {
  override readonly name = "NoCompletionError";
  readonly code: string | null;
  constructor(message: string, code: string | null) {
    super(message);
    this.code = code;
  }
}

/** The record of an answer, whatever it holds; whether it is accepted is the caller's decision. */
export function toStoredCall(body: unknown, request: CallRequest, key: string, at: Date): StoredCall {
  const parsed = completion.safeParse(body);
  if (!parsed.success) throw new NoCompletionError(`200 without a completion: ${excerpt(body)}`, errorCode(body));
  const { choices, model, system_fingerprint, usage: used } = parsed.data;
  const choice = choices[0];
  if (choice === undefined) throw new NoCompletionError("200 without a choice", null);
  const usage: Usage = {
    input: used?.prompt_tokens ?? 0,
    cachedInput: used?.prompt_tokens_details?.cached_tokens ?? 0,
    output: used?.completion_tokens ?? 0,
  };
  return {
    key,
    at: at.toISOString(),
    labels: request.labels,
    role: request.role,
    provider: request.endpoint.provider,
    model: model ?? request.model,
    fingerprint: system_fingerprint ?? null,
    text: (choice.message.content ?? "").toWellFormed().replaceAll("\0", ""),
    finishReason: choice.finish_reason ?? "unknown",
    refusal: choice.message.refusal ?? null,
    usage,
    usd: used === null || used === undefined ? null : costOf(usage, request.price),
  };
}

/** US dollars; null when no price is known, never 0 for that. */
export function costOf(usage: Usage, price: Price | null): number | null {
  if (price === null) return null;
  const fresh = usage.input - usage.cachedInput;
  return (fresh * price.input + usage.cachedInput * (price.cachedInput ?? price.input) + usage.output * price.output) / 1_000_000;
}

function errorCode(body: unknown): string | null {
  const shape = z.looseObject({ error: z.looseObject({ code: z.string().nullish(), type: z.string().nullish() }) }).safeParse(body);
  return shape.success ? (shape.data.error.code ?? shape.data.error.type ?? null) : null;
}

function excerpt(body: unknown): string {
  return (typeof body === "string" ? body : (JSON.stringify(body) ?? "nothing")).slice(0, 120);
}
