import { type MinuteLimits, minuteWindow } from "./minute-window.ts";
import { nextOf } from "./next.ts";

/** How a provider's calls are held back. One limiter per provider and process. */
export interface Limits extends MinuteLimits {
  /** Calls in flight at most: the ceiling of the adaptive width. 0 lets none through. */
  readonly width: number;
  /** By the clock: from then on none is let through, until other limits come. */
  readonly until?: number | undefined;
}

export interface Limiter {
  /** Waits for a slot; the caller releases it exactly once. Rejects with the signal's reason when aborted. */
  acquire(request?: SlotRequest): Promise<Slot>;
  /** Calls that may be in flight now. */
  readonly width: number;
  readonly inFlight: number;
  /** Calls that wait for a slot. */
  readonly waiting: number;
  /** Estimated tokens of the one that is next; 0 when none waits. */
  readonly nextTokens: number;
  /** In flight, and what the calls begun in the last minute used. */
  readonly used: { readonly calls: number; readonly requests: number; readonly tokens: number };
  /** Takes on other limits while calls are in flight. */
  retune(limits: Limits): void;
}

interface SlotRequest {
  readonly signal?: AbortSignal;
  /** Estimate. */
  readonly tokens?: number;
  /** Calls that the same unit has had before: whose turn it is goes by them (`./next.ts`). */
  readonly progress?: number;
}

export interface Slot {
  /** After the answer is recorded. `tokens` replaces the estimate. */
  release(result: CallResult, tokens?: number): void;
}

export type CallResult =
  { readonly outcome: "ok" | "failed" } | { readonly outcome: "rate-limited"; readonly retryAfterMs: number | null };

export interface Clock {
  /** Milliseconds, monotonic. */
  now(): number;
  sleep(ms: number): Promise<void>;
}

const systemClock: Clock = {
  now: () => performance.now(),
  sleep: (ms) => new Promise((resolve) => setTimeout(resolve, ms)),
};

/** Pause after a burst that names no time: doubles with each burst in a row. */
const firstPauseMs = 1000;
const longestPauseMs = 30_000;
/** A burst is this share of the last calls, and at least so many: a stray 429 costs only its own call a wait. */
const burstShare = 0.1;
const burstCalls = 3;
const leastWindow = 20;

/**
 * Adaptive width by additive increase, multiplicative decrease (as TCP does): a burst of 429 cuts once, to three quarters, and pauses; a width's
 * worth of successes adds one twentieth of the ceiling. Other failures do not cut. The width is kept as a share of the ceiling, so that it moves
 * with a ceiling that processes divide among them.
 */
export function adaptiveLimiter(initial: Limits, clock: Clock = systemClock): Limiter {
  let limits = initial;
  /** Share of the ceiling in use, above 0 to 1. */
  let level = 1;
  let inFlight = 0;
  let successes = 0;
  let pausedUntil = 0;
  let bursts = 0;
  let cutAt = Number.NEGATIVE_INFINITY;
  let lastResults: boolean[] = [];
  let wakeAt = Number.POSITIVE_INFINITY;
  const waiting: { readonly tokens: number; readonly progress: number; readonly start: () => void }[] = [];
  const minute = minuteWindow();

  const width = (): number => {
    if (limits.width === 0 || clock.now() > (limits.until ?? Number.POSITIVE_INFINITY)) return 0;
    return Math.max(1, Math.floor(level * limits.width));
  };

  const pump = (): void => {
    const now = clock.now();
    for (let next = nextOf(waiting, width()); next !== undefined && inFlight < width(); next = nextOf(waiting, width())) {
      const wait = Math.max(pausedUntil - now, minute.wait(now, next.tokens, limits));
      if (wait > 0) return wake(now + wait);
      inFlight += 1;
      waiting.splice(waiting.indexOf(next), 1);
      next.start();
    }
  };

  const wake = (at: number): void => {
    if (at >= wakeAt) return;
    wakeAt = at;
    void pumpAfter(Math.max(1, at - clock.now()), at);
  };

  const pumpAfter = async (ms: number, at: number): Promise<void> => {
    await clock.sleep(ms);
    if (wakeAt === at) wakeAt = Number.POSITIVE_INFINITY;
    pump();
  };

  /** True when, with this result, the last calls amount to a burst. */
  const isBurst = (limited: boolean): boolean => {
    lastResults.push(limited);
    const window = Math.max(leastWindow, width());
    if (lastResults.length > window) lastResults = lastResults.slice(-window);
    if (!limited) return false;
    const count = lastResults.filter(Boolean).length;
    return count >= Math.max(Math.min(burstCalls, width()), burstShare * window);
  };

  const rateLimited = (retryAfterMs: number | null): void => {
    if (!isBurst(true)) return;
    const now = clock.now();
    level = Math.min(level, Math.max(1 / Math.max(1, limits.width), level * 0.75));
    cutAt = now;
    bursts += 1;
    successes = 0;
    lastResults = [];
    pausedUntil = Math.max(
      pausedUntil,
      now + (retryAfterMs ?? Math.min(longestPauseMs, firstPauseMs * 2 ** Math.min(bursts - 1, 10))),
    );
  };

  const succeeded = (): void => {
    isBurst(false);
    bursts = 0;
    successes += 1;
    if (limits.width === 0 || successes < width() || level >= 1) return;
    successes = 0;
    level = Math.min(1, level + Math.max(1 / limits.width, 1 / 20));
  };

  const slot = (tokens: number): Slot => {
    const startedAt = clock.now();
    const entry = minute.add(startedAt, tokens);
    return {
      release: (result, actual) => {
        inFlight -= 1;
        if (actual !== undefined) minute.correct(entry, actual);
        // A call that was in flight when the width was cut belongs to the burst that cut it.
        if (result.outcome === "rate-limited" && startedAt > cutAt) rateLimited(result.retryAfterMs);
        else if (result.outcome === "ok") succeeded();
        pump();
      },
    };
  };

  return {
    acquire: ({ signal, tokens = 0, progress = 0 } = {}) =>
      new Promise((resolve, reject) => {
        if (signal?.aborted) return reject(signal.reason as Error);
        const entry = {
          tokens,
          progress,
          start: () => {
            signal?.removeEventListener("abort", abort);
            resolve(slot(tokens));
          },
        };
        const abort = () => {
          waiting.splice(waiting.indexOf(entry), 1);
          reject(signal?.reason as Error);
        };
        signal?.addEventListener("abort", abort, { once: true });
        waiting.push(entry);
        pump();
      }),
    get width() {
      return width();
    },
    get inFlight() {
      return inFlight;
    },
    get waiting() {
      return waiting.length;
    },
    get nextTokens() {
      return nextOf(waiting, width())?.tokens ?? 0;
    },
    get used() {
      return { calls: inFlight, ...minute.used(clock.now()) };
    },
    retune: (next) => {
      limits = next;
      pump();
    },
  };
}
