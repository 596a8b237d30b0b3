/** A rate limit that hits everyone: once so many requests have come, each is refused for so long, and none after that. */
export interface StormPlan {
  readonly afterCalls: number;
  readonly seconds: number;
}

/** Reads `--storm-after-calls` and `--storm-seconds`; undefined when neither is given. */
export function readStorm(afterCalls: string | undefined, seconds: string | undefined): StormPlan | undefined {
  if (afterCalls === undefined && seconds === undefined) return undefined;
  const plan = { afterCalls: Number(afterCalls), seconds: Number(seconds) };
  if (Number.isInteger(plan.afterCalls) && plan.afterCalls >= 0 && plan.seconds > 0) return plan;
  throw new Error("A storm needs both --storm-after-calls, a whole number of requests, and --storm-seconds above 0");
}

/** Counts requests and says which of them the storm hits; the first that it hits begins it. */
export class Storm {
  readonly #plan: StormPlan;
  #calls = 0;
  #endsAt: number | undefined;

  constructor(plan: StormPlan) {
    this.#plan = plan;
  }

  /** Counts a request that came at `nowMs`, by a clock that only goes ahead. */
  hits(nowMs: number): boolean {
    this.#calls += 1;
    if (this.#calls <= this.#plan.afterCalls) return false;
    this.#endsAt ??= nowMs + this.#plan.seconds * 1000;
    return nowMs < this.#endsAt;
  }
}
