/** Longest wait that a provider can ask for; more is cut to it. */
export const maxRetryAfterMs = 10 * 60_000;

/**
 * Milliseconds to wait by `retry-after-ms`, or `retry-after` in seconds or as an HTTP date; null when neither is there or readable.
 * Names of headers in lower case.
 */
export function readRetryAfter(headers: Readonly<Record<string, string>>, nowMs: number): number | null {
  const clamp = (ms: number) => Math.min(Math.max(0, ms), maxRetryAfterMs);
  const ms = readNumber(headers["retry-after-ms"]);
  if (ms !== null) return clamp(ms);
  const seconds = readNumber(headers["retry-after"]);
  if (seconds !== null) return clamp(seconds * 1000);
  const date = Date.parse(headers["retry-after"] ?? "");
  return Number.isNaN(date) ? null : clamp(date - nowMs);
}

function readNumber(text: string | undefined): number | null {
  if (text === undefined || text.trim() === "") return null;
  const value = Number(text);
  return Number.isFinite(value) ? value : null;
}
