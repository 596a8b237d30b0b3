import type { HoldDetail } from "../../contract/failures.ts";

/** The provider keeps failing; worth another try later. */
export class UnavailableError extends Error {
  override readonly name = "UnavailableError";
  readonly retryAfterMs: number;
  constructor(message: string, retryAfterMs: number, cause?: unknown) {
    super(message, { cause });
    this.retryAfterMs = retryAfterMs;
  }
}

/** Waits for a person. */
export class HoldError extends Error {
  override readonly name = "HoldError";
  readonly detail: HoldDetail;
  constructor(detail: HoldDetail, cause?: unknown) {
    super(detail.message, { cause });
    this.detail = detail;
  }
}

/** The same request would be refused again. */
export class RefusedRequestError extends Error {
  override readonly name: string = "RefusedRequestError";
}

/** This one call keeps failing while its provider answers others: no wait will help it. */
export class GaveUpError extends RefusedRequestError {
  override readonly name = "GaveUpError";
}
