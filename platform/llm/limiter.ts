/** How a provider's calls are held back. One per provider and process. */
export interface Limits {
  readonly width: number;
  readonly requestsPerMinute?: number | undefined;
  readonly tokensPerMinute?: number | undefined;
}

export interface Limiter {
  /** Waits for a slot; the caller releases it exactly once. Rejects with the signal's reason when aborted. */
  acquire(signal?: AbortSignal): Promise<Slot>;
  /** Calls that may be in flight now. */
  readonly width: number;
  readonly inFlight: number;
  setCeiling(width: number): void;
}

export interface Slot {
  /** After the answer is recorded. `tokens` count against the per-minute limit. */
  release(result: { readonly outcome: "ok" | "failed" } | { readonly outcome: "rate-limited"; readonly retryAfterMs: number | null }, tokens?: number): void;
}

export interface Clock {
  now(): number;
  sleep(ms: number): Promise<void>;
}

export const systemClock: Clock = {
  now: () => performance.now(),
  sleep: (ms) => new Promise((resolve) => setTimeout(resolve, ms)),
};

/** Wait after a 429 that names no time: doubles with each burst in a row. */
const firstPauseMs = 1000;
const longestPauseMs = 60_000;

/**
 * Adaptive width by additive increase, multiplicative decrease (as TCP does): a burst of 429 cuts once, to three quarters; a width's worth of
 * successes adds one twentieth of the ceiling. Other failures do not cut.
 */
export function adaptiveLimiter(limits: Limits, clock: Clock = systemClock): Limiter {
  let ceiling = limits.width;
  let width = ceiling;
  let inFlight = 0;
  let successes = 0;
  let pausedUntil = 0;
  let bursts = 0;
  let cutAt = Number.NEGATIVE_INFINITY;
  const waiting: (() => void)[] = [];
  const recent: { at: number; tokens: number }[] = [];
  let wakeAt = Number.POSITIVE_INFINITY;

  /** Milliseconds until the per-minute limits allow a call. */
  const minuteWait = (now: number): number => {
    while (recent[0] !== undefined && recent[0].at <= now - 60_000) recent.shift();
    const oldest = recent[0];
    if (oldest === undefined) return 0;
    const overRequests = limits.requestsPerMinute !== undefined && recent.length >= limits.requestsPerMinute;
    const overTokens = limits.tokensPerMinute !== undefined && recent.reduce((sum, call) => sum + call.tokens, 0) >= limits.tokensPerMinute;
    return overRequests || overTokens ? oldest.at + 60_000 - now : 0;
  };

  const pump = (): void => {
    const now = clock.now();
    while (waiting.length > 0 && inFlight < Math.max(1, Math.floor(width))) {
      const wait = Math.max(pausedUntil - now, minuteWait(now));
      if (wait > 0) return wake(now + wait);
      inFlight += 1;
      waiting.shift()?.();
    }
  };

  const wake = (at: number): void => {
    if (at >= wakeAt) return;
    wakeAt = at;
    void clock.sleep(Math.max(1, at - clock.now())).then(() => {
      if (wakeAt === at) wakeAt = Number.POSITIVE_INFINITY;
      pump();
    });
  };

  const rateLimited = (startedAt: number, retryAfterMs: number | null): void => {
    const now = clock.now();
    // Calls that were already in flight when the width was cut belong to the same burst.
    if (startedAt > cutAt) {
      width = Math.max(1, width * 0.75);
      cutAt = now;
      bursts += 1;
      successes = 0;
    }
    pausedUntil = Math.max(pausedUntil, now + (retryAfterMs ?? Math.min(longestPauseMs, firstPauseMs * 2 ** Math.min(bursts - 1, 10))));
  };

  const succeeded = (): void => {
    bursts = 0;
    successes += 1;
    if (successes < width || width >= ceiling) return;
    successes = 0;
    width = Math.min(ceiling, width + Math.max(1, ceiling / 20));
  };

  const slot = (): Slot => {
    const call = { at: clock.now(), tokens: 0 };
    if (limits.requestsPerMinute !== undefined || limits.tokensPerMinute !== undefined) recent.push(call);
    return {
      release: (result, tokens = 0) => {
        inFlight -= 1;
        call.tokens = tokens;
        if (result.outcome === "rate-limited") rateLimited(call.at, result.retryAfterMs);
        else if (result.outcome === "ok") succeeded();
        pump();
      },
    };
  };

  return {
    acquire: (signal) =>
      new Promise((resolve, reject) => {
        if (signal?.aborted) return reject(signal.reason as Error);
        const start = () => {
          signal?.removeEventListener("abort", abort);
          resolve(slot());
        };
        const abort = () => {
          const place = waiting.indexOf(start);
          if (place >= 0) waiting.splice(place, 1);
          reject(signal?.reason as Error);
        };
        signal?.addEventListener("abort", abort, { once: true });
        waiting.push(start);
        pump();
      }),
    get width() {
      return Math.max(1, Math.floor(width));
    },
    get inFlight() {
      return inFlight;
    },
    setCeiling: (next) => {
      ceiling = next;
      width = Math.min(width, next);
      pump();
    },
  };
}
