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
