import { APIConnectionError, APIError } from "openai";
import { NoCompletionError } from "./completion.ts";
import type { CallFailure } from "./failure.ts";

/** The facts of whatever a call threw; null when it is no failure of the call (a full disk, a bug), which must not be retried as one. */
export function readFailure(error: unknown): CallFailure | null {
  if (error instanceof NoCompletionError) return { status: 200, code: error.code, message: error.message, headers: {} };
  if (error instanceof SyntaxError) return { status: 200, code: null, message: `200 with a body that is no JSON: ${error.message}`, headers: {} };
  if (error instanceof APIConnectionError) {
    const cause = error.cause;
    const code = cause instanceof Error && "code" in cause && typeof cause.code === "string" ? cause.code : null;
    return { status: null, code, message: cause instanceof Error ? `${error.message} ${cause.message}` : error.message, headers: {} };
  }
  if (error instanceof APIError) {
    const { status, code, type, message, headers } = error as APIError;
    return {
      status: status ?? null,
      code: code ?? type ?? null,
      message,
      headers: headers === undefined ? {} : Object.fromEntries(headers.entries()),
    };
  }
  return null;
}
