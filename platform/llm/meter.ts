import type { Allowance, Spend } from "../../contract/units.ts";
import { HoldError } from "./errors.ts";

/** What one conversation spends: reserved before a call, settled after it. */
export interface Meter {
  /** @throws HoldError (budget) when the allowance is used up */
  reserve(): void;
  /** A call that reached the provider; `usd` null when no price is known. */
  settle(usd: number | null): void;
  reread(): void;
  readonly spend: Spend;
}

export function conversationMeter(allowance: Allowance): Meter {
  let calls = 0;
  let reread = 0;
  let usd: number | null = 0;
  return {
    reserve: () => {
      const overCalls = allowance.calls !== null && calls >= allowance.calls;
      const overCost = allowance.usd !== null && usd !== null && usd >= allowance.usd;
      if (!overCalls && !overCost) return;
      throw new HoldError({
        reason: "budget",
        message: `A conversation used up its allowance of ${overCalls ? `${allowance.calls} calls` : `$${allowance.usd}`}`,
        remedy: "Raise the budget: attune budget raise",
      });
    },
    settle: (price) => {
      calls += 1;
      usd = usd === null || price === null ? null : usd + price;
    },
    reread: () => {
      reread += 1;
    },
    get spend() {
      return { calls, reread, usd };
    },
  };
}
