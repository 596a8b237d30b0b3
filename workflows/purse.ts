import type { Allowance, Spend } from "../contract/units.ts";
import { covers, minus, nothing, plus, spent, times } from "./allowance.ts";

/** A shard's budget: it starts a conversation only with a whole allowance in hand, and draws more at low water. */
export class Purse {
  readonly #unit: Allowance;
  readonly #unlimited: boolean;
  #granted = nothing;
  #asked = false;

  constructor({ unit, unlimited }: { unit: Allowance; unlimited: boolean }) {
    this.#unit = unit;
    this.#unlimited = unlimited;
  }

  /** True while a draw is not answered. */
  get waits(): boolean {
    return this.#asked;
  }

  take(grant: Allowance): void {
    this.#granted = plus(this.#granted, grant);
    this.#asked = false;
  }

  mayStart(spend: Spend, open: number): boolean {
    return this.#unlimited || covers(this.#left(spend, open), this.#unit);
  }

  /**
   * What to ask for now, for `next` more conversations; null while there is enough for half of `soon`, those that could start soon, or the last draw is
   * not answered. To ask for more than that keeps draws rare: a conversation mostly spends a fraction of what it may.
   */
  draw(spend: Spend, open: number, next: number, soon = next): Allowance | null {
    const left = this.#left(spend, open);
    if (this.#unlimited || this.#asked || next === 0 || covers(left, times(this.#unit, Math.ceil(soon / 2)))) return null;
    this.#asked = true;
    return minus(times(this.#unit, next), left);
  }

  #left(spend: Spend, open: number): Allowance {
    return minus(this.#granted, plus(spent(spend), times(this.#unit, open)));
  }
}
