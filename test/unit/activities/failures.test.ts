import { ApplicationFailure, ApplicationFailureCategory } from "@temporalio/common";
import { describe, expect, it } from "vitest";
import { toFailure, withTypedFailures } from "../../../activities/failures.ts";
import { failures } from "../../../contract/failures.ts";
import { DigestMismatchError } from "../../../platform/artifacts/store.ts";
import { GaveUpError, HoldError, RefusedRequestError, UnavailableError } from "../../../platform/llm/errors.ts";

const hold = { reason: "quota", message: "no credit", remedy: "add some" } as const;

describe("toFailure", () => {
  it.each<[Error, string, boolean]>([
    [new HoldError(hold), failures.held, true],
    [new UnavailableError("busy", 3000), failures.unavailable, false],
    [new RefusedRequestError("wrong"), failures.badRequest, true],
    [new GaveUpError("given up"), failures.badRequest, true],
    [new DigestMismatchError("a/b", "is missing"), failures.digestMismatch, true],
  ])("%s", (error, type, nonRetryable) => {
    const failure = toFailure(error);
    expect(failure).toBeInstanceOf(ApplicationFailure);
    expect(failure).toMatchObject({ type, nonRetryable, message: error.message });
  });

  it("carries the hold's detail, and the delay of a passing fault", () => {
    expect(toFailure(new HoldError(hold))).toMatchObject({ details: [hold] });
    expect(toFailure(new UnavailableError("busy", 3000))).toMatchObject({
      nextRetryDelay: 3000,
      category: ApplicationFailureCategory.BENIGN,
    });
  });

  it("leaves what it does not know to Temporal's policy", () => {
    const bug = new TypeError("bug");
    expect(toFailure(bug)).toBe(bug);
  });
});

describe("withTypedFailures", () => {
  it("throws the signal's reason once cancelled, whatever the body threw", async () => {
    const controller = new AbortController();
    const reason = new Error("cancelled");
    controller.abort(reason);
    await expect(withTypedFailures(controller.signal, () => Promise.reject(new UnavailableError("looks busy", 1)))).rejects.toBe(
      reason,
    );
  });
});
