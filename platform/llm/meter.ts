import type { Allowance, Spend } from "../../contract/units.ts";
import type { StoredCall } from "../calls/store.ts";
import { HoldError } from "./errors.ts";

/** What one conversation spends: reserved before a call, settled after it. */
export interface Meter {
  /**
   * Takes one call and `usd` (an estimate; null when no price is known) out of the allowance. A call may overdraw the money, the next one may not.
   * @throws HoldError (budget) when the allowance is used up
   */
  reserve(usd: number | null): Reservation;
  /** An answer was taken from the call store. */
  reread(call: Pick<StoredCall, "labels" | "usd">): void;
  /** With what an earlier attempt of this unit has paid. */
  readonly spend: Spend;
}

/** Ends with `settle` or `cancel`, whichever comes first. */
interface Reservation {
  /** The provider answered; `usd` null when no price is known. */
  settle(usd: number | null): void;
  /** No answer came: nothing is spent. */
  cancel(): void;
}

/**
 * `begunFor`: the run that an earlier attempt of the unit paid for, where there was one. That attempt could not say what it spent, so its answers count
 * as spent when they are read again, beside the allowance; else a shard would start conversations on money that is gone.
 */
export function conversationMeter(allowance: Allowance, begunFor: string | null = null): Meter {
  const before = { calls: 0, usd: 0 as number | null };
  let calls = 0;
  let reread = 0;
  let usd: number | null = 0;
  const open = { calls: 0, usd: 0 };
  return {
    reserve: (estimate) => {
      const overCalls = allowance.calls !== null && calls + open.calls >= allowance.calls;
      const overCost = allowance.usd !== null && usd !== null && usd + open.usd >= allowance.usd;
      if (overCalls || overCost) {
        throw new HoldError({
          reason: "budget",
          message: `A conversation used up its allowance of ${overCalls ? `${allowance.calls} calls` : `$${allowance.usd}`}`,
          remedy: "Let it spend as much again: npx attune resume",
        });
      }
      let isOpen = true;
      open.calls += 1;
      open.usd += estimate ?? 0;
      const end = (): boolean => {
        const first = isOpen;
        if (first) {
          isOpen = false;
          open.calls -= 1;
          open.usd -= estimate ?? 0;
        }
        return first;
      };
      return {
        settle: (price) => {
          if (!end()) return;
          calls += 1;
          usd = usd === null || price === null ? null : usd + price;
        },
        cancel: () => void end(),
      };
    },
    reread: (call) => {
      reread += 1;
      if (call.labels.run !== begunFor) return;
      before.calls += 1;
      before.usd = before.usd === null || call.usd === null ? null : before.usd + call.usd;
    },
    get spend() {
      return { calls: calls + before.calls, reread, usd: usd === null || before.usd === null ? null : usd + before.usd };
    },
  };
}
