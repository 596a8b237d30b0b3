import type { Records } from "../../records/records.ts";
import { updateRecord } from "../../records/update.ts";
import type { Limiter } from "../limiter.ts";
import { afterLeaving, type Amounts, ceilingPrefix, type Holders, leaseMs, rebalance } from "./holders.ts";
import { Silence } from "./silence.ts";
import { readTuning, tuned, tuningKey } from "./tuning.ts";

/** Between two looks at the record. */
const lookMs = 1000;
/** An unchanged part is said again after this long. */
const sayAgainMs = 3000;
/** A process that could not say so stops calling before the others take its part. */
const graceMs = 2000;
/** Without a call for so long, the part is given back. */
const idleMs = 30_000;

export interface LeaseOptions {
  readonly records: Records;
  /** Names this process among those that share. */
  readonly me: string;
  readonly provider: string;
  readonly limiter: Limiter;
  /** The limits by configuration; what a person set over them is read at every look. */
  readonly ceiling: () => Amounts;
  readonly onError?: (error: unknown) => void;
}

/** Keeps this process's part of one provider's limits and sets the limiter to it. */
export class Lease {
  readonly #options: LeaseOptions;
  readonly #key: string;
  readonly #silence = new Silence();
  #looking: Promise<void> | null = null;
  #timer: NodeJS.Timeout | null = null;
  /** When the part was last said, by the monotonic clock, ms. */
  #said = Number.NEGATIVE_INFINITY;
  #lastUse = 0;
  #closed = false;

  constructor(options: LeaseOptions) {
    this.#options = options;
    this.#key = `${ceilingPrefix}${options.provider}`;
  }

  /** A call is about to be made: the part is looked after from now on. */
  use(): void {
    this.#lastUse = Date.now();
    if (this.#timer !== null || this.#closed) return;
    this.#timer = setInterval(() => void this.look(), lookMs);
    void this.look();
  }

  /** What the record says, for one that takes no part yet. */
  notice(holders: Holders): void {
    if (this.#timer === null) this.#silence.look(holders, performance.now());
  }

  /** One look at the record, and a new part of it if there is one. Looks don't overlap. */
  look(): Promise<void> {
    this.#looking ??= this.#look()
      .catch((error: unknown) => this.#options.onError?.(error))
      .finally(() => (this.#looking = null));
    return this.#looking;
  }

  /** Gives the part back; calls that are in flight by then must have ended. */
  async close(): Promise<void> {
    this.#closed = true;
    await this.#looking;
    await this.#giveBack();
  }

  async #look(): Promise<void> {
    const { limiter, records, me, provider, ceiling } = this.#options;
    if (this.#closed) return;
    const demand = limiter.inFlight + limiter.waiting;
    if (demand === 0 && Date.now() - this.#lastUse > idleMs) return this.#giveBack();
    this.#ceiling = tuned(ceiling(), readTuning((await records.get(tuningKey(provider)))?.value));
    for (;;) {
      const stored = await records.get(this.#key);
      const holders = (stored?.value as Holders | undefined) ?? {};
      this.#silence.look(holders, performance.now());
      // Both divisions below are of one moment: what is left of an uneven one may change hands at the next.
      const now = Date.now();
      const situation = () => ({
        ceiling: this.#ceiling,
        demand,
        nextTokens: limiter.nextTokens,
        width: limiter.width,
        used: limiter.used,
        now,
        silence: (id: string) => this.#silence.of(id, performance.now()),
      });
      // What is given up is given up before anyone may read it, and what is in use is counted after that.
      this.#apply(lesser(this.#applied, rebalance(holders, me, situation()).mine));
      const next = rebalance(holders, me, situation());
      if (same(holders, next.holders, me) && performance.now() - this.#said < sayAgainMs) return this.#apply(next.mine);
      const said = performance.now();
      if (!(await records.put(this.#key, next.holders, stored?.version ?? null))) continue;
      this.#said = said;
      return this.#apply(next.mine);
    }
  }

  async #giveBack(): Promise<void> {
    if (this.#timer !== null) clearInterval(this.#timer);
    this.#timer = null;
    this.#apply(nothing);
    const { records, me, limiter } = this.#options;
    await updateRecord<Holders | undefined>(records, this.#key, (holders) =>
      holders?.[me] === undefined || holders[me].left === true
        ? holders
        : afterLeaving(holders, me, { ceiling: this.#ceiling, used: limiter.used, now: Date.now() }),
    );
  }

  #ceiling: Amounts = nothing;
  #applied: Amounts = nothing;
  #apply(amounts: Amounts): void {
    this.#applied = amounts;
    // A minute's part of nothing lets nothing through.
    const stopped = amounts.requestsPerMinute === 0 || amounts.tokensPerMinute === 0;
    this.#options.limiter.retune({
      width: stopped ? 0 : amounts.calls,
      // A process that was stopped or stuck meanwhile finds its part gone before it can look: others hold it by then.
      until: this.#said + leaseMs - graceMs,
      requestsPerMinute: amounts.requestsPerMinute ?? undefined,
      tokensPerMinute: amounts.tokensPerMinute ?? undefined,
      allTokensPerMinute: this.#ceiling.tokensPerMinute ?? undefined,
    });
  }
}

const nothing: Amounts = { calls: 0, requestsPerMinute: 0, tokensPerMinute: 0 };

function lesser(a: Amounts, b: Amounts): Amounts {
  const least = (x: number | null, y: number | null) => (x === null || y === null ? null : Math.min(x, y));
  return {
    calls: Math.min(a.calls, b.calls),
    requestsPerMinute: least(a.requestsPerMinute, b.requestsPerMinute),
    tokensPerMinute: least(a.tokensPerMinute, b.tokensPerMinute),
  };
}

/** Whether saying it again would tell the others nothing new. */
function same(before: Holders, after: Holders, me: string): boolean {
  const [a, b] = [before[me], after[me]];
  if (a === undefined || b === undefined || Object.keys(before).length !== Object.keys(after).length) return false;
  return (
    a.demand === b.demand &&
    a.nextTokens === b.nextTokens &&
    a.held.calls === b.held.calls &&
    a.held.requestsPerMinute === b.held.requestsPerMinute &&
    a.held.tokensPerMinute === b.held.tokensPerMinute
  );
}
