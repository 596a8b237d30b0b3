import type { Spend } from "../contract/units.ts";
import { noSpend, sumSpend } from "../domain/spend.ts";

/** What a run has spent: what the call records held when they were last read, and what children have reported since. */
export class Spending {
  #recorded = noSpend;
  #reportedThen = noSpend;
  readonly #ended: Spend[] = [];

  /** As the call records had it when they were last read. */
  get recorded(): Spend {
    return this.#recorded;
  }

  /** A child that ended reports no more. */
  ended(spend: Spend): void {
    this.#ended.push(spend);
  }

  /** All that children have reported, the ended ones too. */
  reported(open: readonly Spend[]): Spend {
    return sumSpend([...this.#ended, ...open]);
  }

  /** The call records were read. `reported` is the sum from before: what is reported while they are read may count twice until the next reading, never not at all. */
  read(recorded: Spend, reported: Spend): void {
    this.#recorded = recorded;
    this.#reportedThen = reported;
  }

  total(open: readonly Spend[]): Spend {
    const reported = this.reported(open);
    const since = (now: number, then: number) => Math.max(0, now - then);
    const { calls, reread, usd } = this.#recorded;
    return {
      calls: calls + since(reported.calls, this.#reportedThen.calls),
      reread: reread + since(reported.reread, this.#reportedThen.reread),
      usd:
        usd === null || reported.usd === null || this.#reportedThen.usd === null
          ? null
          : usd + since(reported.usd, this.#reportedThen.usd),
    };
  }
}
