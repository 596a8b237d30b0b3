import { ApplicationFailure, ApplicationFailureCategory } from "@temporalio/common";
import { failures } from "../contract/failures.ts";
import { DigestMismatchError } from "../platform/artifacts/store.ts";
import { HoldError, RefusedRequestError, UnavailableError } from "../platform/llm/errors.ts";

/**
 * Runs an activity's body and turns what it throws into the failure types of the contract. When the activity was cancelled, the signal's reason is
 * thrown as it is: a cancelled SDK or process call looks like a failure otherwise.
 */
export async function withTypedFailures<T>(signal: AbortSignal, body: () => Promise<T>): Promise<T> {
  try {
    return await body();
  } catch (error) {
    if (signal.aborted) throw signal.reason;
    throw toFailure(error);
  }
}

/** Known errors as typed failures; anything else stays as it is and is retried by Temporal's policy. */
export function toFailure(error: unknown): unknown {
  if (error instanceof HoldError) {
    return ApplicationFailure.create({
      type: failures.held,
      message: error.message,
      nonRetryable: true,
      details: [error.detail],
    });
  }
  if (error instanceof UnavailableError) {
    return ApplicationFailure.create({
      type: failures.unavailable,
      message: error.message,
      nextRetryDelay: error.retryAfterMs,
      category: ApplicationFailureCategory.BENIGN,
    });
  }
  if (error instanceof RefusedRequestError)
    return ApplicationFailure.create({ type: failures.badRequest, message: error.message, nonRetryable: true });
  if (error instanceof DigestMismatchError)
    return ApplicationFailure.create({ type: failures.digestMismatch, message: error.message, nonRetryable: true });
  return error;
}

/** Data that can't be used; says what, where and what to do. */
export function badData(message: string): ApplicationFailure {
  return ApplicationFailure.create({ type: failures.badData, message, nonRetryable: true });
}

/** A configuration that can't be run as it is; says which part and what to do. */
export function badConfig(message: string): ApplicationFailure {
  return ApplicationFailure.create({ type: failures.badConfig, message, nonRetryable: true });
}
