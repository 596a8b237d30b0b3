import * as fc from "fast-check";
import { describe, expect, it } from "vitest";
import { type CallFailure, classifyFailure, type Disposition } from "../../../platform/llm/failure.ts";
import { maxRetryAfterMs, readRetryAfter } from "../../../platform/llm/retry-after.ts";

const now = Date.parse("2026-01-01T00:00:00Z");
const failure = (facts: Partial<CallFailure>): CallFailure => ({ status: null, code: null, message: "", headers: {}, ...facts });

describe("classifyFailure", () => {
  it.each<[string, Partial<CallFailure>, Disposition["kind"], string?]>([
    ["a refused connection", { code: "ECONNREFUSED" }, "retry"],
    ["a reset", { code: "ECONNRESET" }, "retry"],
    ["a name that can't be resolved", { code: "ENOTFOUND" }, "retry"],
    ["a timeout", { message: "Request timed out." }, "retry"],
    ["a rate limit", { status: 429, code: "rate_limit_exceeded" }, "wait"],
    ["a 429 without a code", { status: 429 }, "wait"],
    ["quota, as 429", { status: 429, code: "insufficient_quota" }, "hold", "quota"],
    [
      "quota, told in words",
      { status: 429, message: "You exceeded your current quota, please check your plan" },
      "hold",
      "quota",
    ],
    [
      "a limit of tokens a minute that tells where to pay for a higher one",
      {
        status: 429,
        code: "rate_limit_exceeded",
        message:
          "429 Rate limit reached for model `llama-3.3-70b-versatile` in organization `org_1` service tier `on_demand` on tokens per minute (TPM): Limit 12000, Used 11050, Requested 3619. Please try again in 13.345s. Need more tokens? Upgrade to Dev Tier today at https://console.groq.com/settings/billing",
      },
      "wait",
    ],
    [
      "a limit of requests a minute that asks for a payment method, without a code",
      {
        status: 429,
        code: "requests",
        message:
          "429 Rate limit reached for default-global-with-image-limits in organization org-1 on requests per min. Limit: 60.000000 / min. Current: 70.000000 / min. Please add a payment method to your account to increase your rate limit. Visit https://platform.openai.com/account/billing to add a payment method.",
      },
      "wait",
    ],
    [
      "a limit that is called a quota, and names a time",
      {
        status: 429,
        message:
          "429 You exceeded your current quota, please check your plan and billing details.\n* Quota exceeded for metric: generate_content_free_tier_requests, limit: 10, model: gemini-2.5-flash\nPlease retry in 36.04s.",
      },
      "wait",
    ],
    [
      "a limit of nothing, though it names a time",
      {
        status: 429,
        message:
          "429 You exceeded your current quota, please check your plan and billing details.\n* Quota exceeded for metric: generate_content_free_tier_requests, limit: 0, model: gemini-3-pro\nPlease retry in 10.67s.",
      },
      "hold",
      "quota",
    ],
    [
      "credit that is used up, told as a wrong request",
      {
        status: 400,
        code: "invalid_request_error",
        message:
          "400 Your credit balance is too low to access the Anthropic API. Please go to Plans & Billing to upgrade or purchase credits.",
      },
      "hold",
      "quota",
    ],
    ["a billing limit, told in words", { status: 429, message: "429 Billing hard limit has been reached" }, "hold", "quota"],
    [
      "a request larger than a minute's limit, at 413",
      {
        status: 413,
        code: "rate_limit_exceeded",
        message:
          "413 Request too large for model `llama-3.1-8b-instant` in organization `org_1` service tier `on_demand` on tokens per minute (TPM): Limit 6000, Requested 12328, please reduce your message size and try again. Need more tokens? Upgrade to Dev Tier today at https://console.groq.com/settings/billing",
      },
      "refused",
    ],
    [
      "a request larger than a minute's limit, at 429",
      {
        status: 429,
        code: "rate_limit_exceeded",
        message:
          "429 Request too large for gpt-4o in organization org-1 on tokens per min (TPM): Limit 30000, Requested 342389. The input or output tokens must be reduced in order to run successfully.",
      },
      "refused",
    ],
    ["a body too large for a proxy", { status: 413 }, "refused"],
    ["payment required", { status: 402 }, "hold", "quota"],
    ["quota in a body at 200", { status: 200, code: "insufficient_quota" }, "hold", "quota"],
    ["a wrong key", { status: 401, code: "invalid_api_key" }, "hold", "auth"],
    ["a forbidden model", { status: 403 }, "hold", "auth"],
    ["an unknown model", { status: 404, code: "model_not_found" }, "hold", "auth"],
    ["a content filter", { status: 400, code: "content_filter" }, "filtered"],
    ["a bad request", { status: 400, code: "invalid_request_error" }, "refused"],
    ["too long a prompt", { status: 400, code: "context_length_exceeded" }, "refused"],
    ["an unprocessable request", { status: 422 }, "refused"],
    ["a redirect", { status: 302 }, "refused"],
    ["a request timeout", { status: 408 }, "retry"],
    ["a conflict", { status: 409 }, "retry"],
    ["a server error", { status: 500 }, "retry"],
    ["an overloaded server", { status: 503 }, "retry"],
    ["a proxy's own status", { status: 529 }, "retry"],
    ["HTML at 200", { status: 200, message: "200 with a body that is no JSON" }, "retry"],
    ["a rate limit in a body at 200", { status: 200, code: "rate_limit_exceeded" }, "wait"],
  ])("%s → %s", (_, facts, kind, reason) => {
    const found = classifyFailure(failure(facts), now);
    expect(found.kind).toBe(kind);
    if (found.kind === "hold") expect(found).toMatchObject({ reason, remedy: expect.stringContaining("attune resume") });
  });

  it("hands on Retry-After for limits and busy servers", () => {
    const headers = { "retry-after": "7" };
    expect(classifyFailure(failure({ status: 429, headers }), now)).toEqual({ kind: "wait", retryAfterMs: 7000 });
    expect(classifyFailure(failure({ status: 503, headers }), now)).toEqual({ kind: "retry", retryAfterMs: 7000 });
  });

  it("has one answer for anything, and never retries what is wrong with the request", () => {
    const anything = fc.record({
      status: fc.option(fc.integer({ min: 100, max: 599 })),
      code: fc.option(fc.string()),
      message: fc.string(),
      headers: fc.dictionary(fc.constantFrom("retry-after", "retry-after-ms", "date"), fc.string()),
    });
    fc.assert(
      fc.property(anything, (facts) => {
        const found = classifyFailure(facts, now);
        if (facts.status === 400 || facts.status === 422) expect(found.kind).not.toBe("retry");
        if (facts.status !== null && facts.status >= 500) expect(["retry", "hold", "filtered", "wait"]).toContain(found.kind);
        if ("retryAfterMs" in found && found.retryAfterMs !== null) {
          expect(found.retryAfterMs).toBeGreaterThanOrEqual(0);
          expect(found.retryAfterMs).toBeLessThanOrEqual(maxRetryAfterMs);
        }
      }),
    );
  });
});

describe("readRetryAfter", () => {
  it.each<[Record<string, string>, number | null]>([
    [{}, null],
    [{ "retry-after": "" }, null],
    [{ "retry-after": "soon" }, null],
    [{ "retry-after": "1.5" }, 1500],
    [{ "retry-after": "-3" }, null],
    [{ "retry-after": "0" }, null],
    [{ "retry-after": "wait 5" }, null],
    [{ "retry-after": "99999999" }, maxRetryAfterMs],
    [{ "retry-after": "Infinity" }, null],
    [{ "retry-after-ms": "250" }, 250],
    [{ "retry-after-ms": "250", "retry-after": "9" }, 250],
    [{ "retry-after-ms": "", "retry-after": "9" }, 9000],
    [{ "retry-after": "Thu, 01 Jan 2026 00:00:20 GMT" }, 20_000],
    [{ "retry-after": "Wed, 31 Dec 2025 23:00:00 GMT" }, null],
  ])("%j → %j", (headers, expected) => {
    expect(readRetryAfter(headers, now)).toBe(expected);
  });
});
