import type { HoldDetail } from "../../contract/failures.ts";

/** What a caller may do about a call that brought no answer. */
export type Disposition =
  /** A rate limit: wait in the limiter, no attempt is used. */
  | { readonly kind: "wait"; readonly retryAfterMs: number | null }
  /** A passing fault: try again, a few times here, then by Temporal. */
  | { readonly kind: "retry"; readonly retryAfterMs: number | null }
  /** Only a person can help. */
  | { readonly kind: "hold"; readonly reason: HoldDetail["reason"]; readonly remedy: string }
  /** The provider filtered the content: an outcome, not a fault. */
  | { readonly kind: "filtered" }
  /** The request is wrong; the same request fails again. */
  | { readonly kind: "refused" };

/** The facts of a failed call, taken from whatever the SDK threw. */
export interface CallFailure {
  /** null: no HTTP answer (connection, DNS, TLS, timeout). */
  readonly status: number | null;
  /** `error.code` or `error.type` of the body, or the socket's code. */
  readonly code: string | null;
  readonly message: string;
  readonly headers: Readonly<Record<string, string>>;
}

const quotaCodes = new Set(["insufficient_quota", "billing_hard_limit_reached", "billing_not_active", "access_terminated", "quota_exceeded"]);
const quotaText = /\b(?:exceeded your current quota|billing|insufficient (?:funds|credits?|balance|quota))\b/i;

/** Classifies a failed call, once, in this order. Pure. */
export function classifyFailure(failure: CallFailure, nowMs: number): Disposition {
  const { status, code, message } = failure;
  const retryAfterMs = readRetryAfter(failure.headers, nowMs);
  if (status === null) return { kind: "retry", retryAfterMs: null };
  if (status === 402 || (code !== null && quotaCodes.has(code)) || (status === 429 && quotaText.test(message))) {
    return { kind: "hold", reason: "quota", remedy: "Add credit or raise the quota at the provider, then: attune resume" };
  }
  if (code === "content_filter") return { kind: "filtered" };
  if (status === 401 || status === 403) return { kind: "hold", reason: "auth", remedy: "Set a valid key in the worker's environment and restart it, then: attune resume" };
  if (status === 404) return { kind: "hold", reason: "auth", remedy: "The model or address is not known to the provider; correct it, or get access, then: attune resume" };
  if (status === 429) return { kind: "wait", retryAfterMs };
  if (status === 408 || status === 409 || status === 425 || status >= 500) return { kind: "retry", retryAfterMs };
  // A 200 whose body was no completion: HTML from a proxy, a broken stream.
  if (status >= 200 && status < 300) return { kind: "retry", retryAfterMs: null };
  return { kind: "refused" };
}

/** Longest wait that a provider can ask for; more is cut to it. */
export const maxRetryAfterMs = 10 * 60_000;

/** Milliseconds to wait by `retry-after-ms`, or `retry-after` in seconds or as an HTTP date; null when neither is there or readable. */
export function readRetryAfter(headers: Readonly<Record<string, string>>, nowMs: number): number | null {
  const clamp = (ms: number) => Math.min(Math.max(0, ms), maxRetryAfterMs);
  const ms = Number(headers["retry-after-ms"] ?? Number.NaN);
  if (Number.isFinite(ms)) return clamp(ms);
  const value = headers["retry-after"];
  if (value === undefined || value.trim() === "") return null;
  const seconds = Number(value);
  if (Number.isFinite(seconds)) return clamp(seconds * 1000);
  const date = Date.parse(value);
  return Number.isNaN(date) ? null : clamp(date - nowMs);
}
