/** Longest wait that a provider can ask for; more is cut to it. */
export const maxRetryAfterMs = 10 * 60_000;

/**
 * Milliseconds to wait by `retry-after-ms`, or `retry-after` in seconds or as an HTTP date; null when neither is there, readable and ahead: a wait
 * of nothing, or until a time that our clock says is past, would answer a storm with a storm. Names of headers in lower case.
 */
export function readRetryAfter(headers: Readonly<Record<string, string>>, nowMs: number): number | null {
  const clamp = (ms: number) => (ms > 0 ? Math.min(ms, maxRetryAfterMs) : null);
  const ms = readNumber(headers["retry-after-ms"]);
  if (ms !== null) return clamp(ms);
  const seconds = readNumber(headers["retry-after"]);
  if (seconds !== null) return clamp(seconds * 1000);
  const text = headers["retry-after"] ?? "";
  // Date.parse reads a date into almost anything ("wait 5" is in 2001).
  const date = httpDate.test(text) ? Date.parse(text) : Number.NaN;
  return Number.isNaN(date) ? null : clamp(date - nowMs);
}

/** `Wed, 21 Oct 2026 07:28:00 GMT`, and its older forms, which begin with the day's name too. */
const httpDate = /^(?:Mon|Tue|Wed|Thu|Fri|Sat|Sun)[a-z]*,? .*\d\d:\d\d:\d\d/;

function readNumber(text: string | undefined): number | null {
  if (text === undefined || text.trim() === "") return null;
  const value = Number(text);
  return Number.isFinite(value) ? value : null;
}
