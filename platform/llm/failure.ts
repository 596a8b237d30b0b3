import type { HoldDetail } from "../../contract/failures.ts";
import { readRetryAfter } from "./retry-after.ts";

/** What a caller may do about a call that brought no answer. */
export type Disposition =
  /** A rate limit: wait, no attempt is used. */
  | { readonly kind: "wait"; readonly retryAfterMs: number | null }
  /** A passing fault: try again, a few times here, then by Temporal. */
  | { readonly kind: "retry"; readonly retryAfterMs: number | null }
  /** Only a person can help. */
  | { readonly kind: "hold"; readonly reason: HoldDetail["reason"]; readonly remedy: string }
  /** The provider filtered the content: an outcome, not a fault. */
  | { readonly kind: "filtered" }
  /** The request is wrong or too large; the same request fails again. */
  | { readonly kind: "refused" };

/** The facts of a failed call, taken from whatever was thrown or answered. */
export interface CallFailure {
  /** null: no HTTP answer (connection, DNS, TLS, timeout). 200 and its like: an answer that is no completion (HTML, broken JSON, no choices). */
  readonly status: number | null;
  /** `error.code` or `error.type` of the body, or the socket's code. */
  readonly code: string | null;
  readonly message: string;
  /** Names in lower case. */
  readonly headers: Readonly<Record<string, string>>;
}

const quotaCodes = new Set([
  "insufficient_quota",
  "billing_hard_limit_reached",
  "billing_not_active",
  "access_terminated",
  "quota_exceeded",
]);
/** A word of billing alone tells nothing: ordinary rate limits say where to pay for a higher one. */
const quotaText =
  /\b(?:exceeded your current quota|billing hard limit|(?:out of|insufficient) (?:funds|credits?|balance|quota))\b/i;
/** Some providers say so at 400, as if the request were wrong. */
const creditText = /\bcredit balance is too low\b/i;
const filterCodes = new Set(["content_filter", "content_policy_violation", "ResponsibleAIPolicyViolation"]);
const authCodes = new Set(["invalid_api_key", "authentication_error", "permission_error", "account_deactivated"]);
const limitCodes = new Set(["rate_limit_exceeded", "rate_limit_error", "too_many_requests"]);
/** What names a time passes by itself, but for a limit of nothing. */
const limitText = /\brate limit reached\b|^(?!.*\blimit: 0\b).*\b(?:try again|retry) in \d/is;
/** Larger than the limit of a minute: no wait will make it fit. */
const tooLargeText = /\brequest too large\b/i;
const requestCodes = new Set(["invalid_request_error", "context_length_exceeded"]);

const waitOrRetry = (kind: "wait" | "retry") => (failure: CallFailure, nowMs: number) =>
  ({ kind, retryAfterMs: readRetryAfter(failure.headers, nowMs) }) as const;
const hold = (reason: HoldDetail["reason"], remedy: string) => () => ({ kind: "hold", reason, remedy }) as const;

interface Rule {
  readonly name: string;
  readonly holds: (failure: CallFailure) => boolean;
  readonly decide: (failure: CallFailure, nowMs: number) => Disposition;
}

const has = (codes: ReadonlySet<string>) => (failure: CallFailure) => failure.code !== null && codes.has(failure.code);
const status =
  (...statuses: number[]) =>
  (failure: CallFailure) =>
    failure.status !== null && statuses.includes(failure.status);

const limited = (f: CallFailure) => f.status === 429 || has(limitCodes)(f);
const saysNoQuota = (f: CallFailure) =>
  creditText.test(f.message) ||
  (f.status === 429 && quotaText.test(f.message) && !has(limitCodes)(f) && !limitText.test(f.message));

/** The first rule that holds decides. */
const rules: readonly Rule[] = [
  { name: "no answer", holds: (f) => f.status === null, decide: waitOrRetry("retry") },
  {
    name: "quota",
    holds: (f) => f.status === 402 || has(quotaCodes)(f) || saysNoQuota(f),
    decide: hold("quota", "Add credit or raise the quota at the provider, then: npx attune resume"),
  },
  { name: "filtered content", holds: has(filterCodes), decide: () => ({ kind: "filtered" }) },
  {
    name: "key",
    holds: (f) => status(401, 403)(f) || has(authCodes)(f),
    decide: hold("auth", "Set a valid key in the worker's environment and restart it, then: npx attune resume"),
  },
  {
    name: "unknown model or address",
    holds: status(404),
    decide: hold(
      "auth",
      "The provider does not know this model or address; get access to it or start a run with another, then: npx attune resume",
    ),
  },
  {
    name: "too large",
    holds: (f) => f.status === 413 || (limited(f) && tooLargeText.test(f.message)),
    decide: () => ({ kind: "refused" }),
  },
  { name: "rate limit", holds: limited, decide: waitOrRetry("wait") },
  { name: "busy or broken", holds: (f) => status(408, 409, 425)(f) || (f.status ?? 0) >= 500, decide: waitOrRetry("retry") },
  { name: "wrong request", holds: has(requestCodes), decide: () => ({ kind: "refused" }) },
  // A proxy's page, a cut stream or a body of errors only, at status 200.
  { name: "no completion", holds: (f) => f.status !== null && f.status >= 200 && f.status < 300, decide: waitOrRetry("retry") },
];

/** Classifies a failed call, once. Pure. */
export function classifyFailure(failure: CallFailure, nowMs: number): Disposition {
  return rules.find(({ holds }) => holds(failure))?.decide(failure, nowMs) ?? { kind: "refused" };
}
