import { APIConnectionError, APIError } from "openai";
import { NoCompletionError } from "./completion.ts";
import type { CallFailure } from "./failure.ts";

/** The facts of whatever a call threw; null when it is no failure of the call (a full disk, a bug), which must not be retried as one. */
export function readFailure(error: unknown): CallFailure | null {
  if (error instanceof NoCompletionError) return { status: error.status, code: error.code, message: error.message, headers: {} };
  if (error instanceof APIConnectionError) {
    const { message, cause } = error;
    return {
      status: null,
      code: socketCode(cause),
      message: cause instanceof Error ? `${message} ${cause.message}` : message,
      headers: {},
    };
  }
  if (error instanceof APIError) {
    const { status, code, type, message, headers } = error as APIError;
    return {
      status: status ?? null,
      // Some providers put a number here.
      code: [code, type].find((value) => typeof value === "string") ?? null,
      message,
      headers: headers === undefined ? {} : Object.fromEntries(headers.entries()),
    };
  }
  return null;
}

function socketCode(cause: unknown): string | null {
  return cause instanceof Error && "code" in cause && typeof cause.code === "string" ? cause.code : null;
}
