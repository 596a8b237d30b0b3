import * as fc from "fast-check";
import { describe, expect, it } from "vitest";
import { type CallFailure, classifyFailure, type Disposition } from "../../../platform/llm/failure.ts";
import { maxRetryAfterMs, readRetryAfter } from "../../../platform/llm/retry-after.ts";

const now = Date.parse("2026-01-01T00:00:00Z");
/** Of a wait that is nothing or past there is none to obey. */
const clamped = (ms: number) => (ms > 0 ? Math.min(ms, maxRetryAfterMs) : null);

const codes = [
  "insufficient_quota",
  "billing_hard_limit_reached",
  "rate_limit_exceeded",
  "invalid_api_key",
  "content_filter",
  "invalid_request_error",
  "context_length_exceeded",
  "ECONNRESET",
  "ENOTFOUND",
];
const httpDate = fc.integer({ min: -(10 ** 12), max: 10 ** 12 }).map((from) => new Date(now + from).toUTCString());
const header = fc.oneof(fc.string(), fc.double().map(String), httpDate);
const anyFailure: fc.Arbitrary<CallFailure> = fc.record({
  status: fc.option(
    fc.oneof(fc.integer(), fc.constantFrom(200, 302, 400, 401, 402, 403, 404, 408, 409, 422, 429, 500, 503, 529)),
  ),
  code: fc.option(fc.oneof(fc.constantFrom(...codes), fc.string())),
  message: fc.oneof(fc.string(), fc.constantFrom("You exceeded your current quota", "Check your billing")),
  headers: fc.dictionary(fc.oneof(fc.constantFrom("retry-after", "retry-after-ms"), fc.string()), header),
});

const members: Readonly<Record<Disposition["kind"], readonly string[]>> = {
  wait: ["kind", "retryAfterMs"],
  retry: ["kind", "retryAfterMs"],
  hold: ["kind", "reason", "remedy"],
  filtered: ["kind"],
  refused: ["kind"],
};

describe("any failure", () => {
  it("has one whole disposition, the same each time", () => {
    fc.assert(
      fc.property(anyFailure, (failure) => {
        const found = classifyFailure(failure, now);
        expect(Object.keys(found).toSorted()).toEqual(members[found.kind]);
        expect(classifyFailure(failure, now)).toEqual(found);
        if (found.kind === "hold") {
          expect(["quota", "auth"]).toContain(found.reason);
          expect(found.remedy).toContain("npx attune resume");
        }
        if ("retryAfterMs" in found && found.retryAfterMs !== null) expect(clamped(found.retryAfterMs)).toBe(found.retryAfterMs);
      }),
    );
  });

  it("without an answer is tried again; by its quota code is held; and only a limit waits without using an attempt", () => {
    fc.assert(
      fc.property(anyFailure, (failure) => {
        expect(classifyFailure({ ...failure, status: null }, now).kind).toBe("retry");
        const quota = { ...failure, status: failure.status ?? 429, code: "insufficient_quota" };
        expect(classifyFailure(quota, now)).toMatchObject({ kind: "hold", reason: "quota" });
        if (classifyFailure(failure, now).kind === "wait")
          expect(failure.status === 429 || failure.code === "rate_limit_exceeded").toBe(true);
      }),
    );
  });
});

describe("Retry-After", () => {
  const amount = fc.double({ noNaN: true, noDefaultInfinity: true });

  it("in seconds or as a date is obeyed by limits and busy servers, clamped", () => {
    fc.assert(
      fc.property(amount, (seconds) => {
        const headers = { "retry-after": String(seconds) };
        for (const status of [429, 503])
          expect(classifyFailure({ status, code: null, message: "", headers }, now)).toMatchObject({
            retryAfterMs: clamped(seconds * 1000),
          });
      }),
    );
    fc.assert(
      fc.property(httpDate, (date) => {
        expect(readRetryAfter({ "retry-after": date }, now)).toBe(clamped(Date.parse(date) - now));
      }),
    );
  });

  it("in milliseconds goes before the other, clamped", () => {
    fc.assert(
      fc.property(amount, header, (ms, other) => {
        expect(readRetryAfter({ "retry-after-ms": String(ms), "retry-after": other }, now)).toBe(clamped(ms));
        expect(readRetryAfter({ "retry-after": `wait ${ms}` }, now)).toBeNull();
      }),
    );
  });
});
