import type { HoldDetail } from "../contract/failures.ts";
import type { UnitStage } from "../contract/stages.ts";
import type { Allowance, Spend } from "../contract/units.ts";

/** The cap is in dollars and a call without a price was recorded. */
export function costUnknown(run: string, { calls }: Spend, stage?: UnitStage): HoldDetail {
  const [of, key] = stage === undefined ? ["", "budget"] : [` of ${stage}`, `budget.stages.${stage}`];
  return {
    reason: "budget",
    message: `The cost of some of the ${calls} recorded calls${of} is unknown, so the cap in dollars can't hold the run`,
    remedy: `Cancel it (npx attune cancel ${run}), set ${key}.maxCalls in place of ${key}.maxCostUsd, and run again: recorded calls are not made again`,
  };
}

/** Nothing that is left, of the run's budget or that of `stage`, covers one more conversation. */
export function usedUp(
  run: string,
  { cap, recorded, stage }: { cap: Allowance; recorded: Spend; stage?: UnitStage },
): HoldDetail {
  const twice = [
    ...(stage === undefined ? [] : [`--stage ${stage}`]),
    ...(cap.calls === null ? [] : [`--calls ${cap.calls * 2}`]),
    ...(cap.usd === null ? [] : [`--usd ${cap.usd * 2}`]),
  ];
  const parts = [
    ...(cap.calls === null ? [] : [`${recorded.calls} of ${cap.calls} calls`]),
    ...(cap.usd === null ? [] : [`$${(recorded.usd ?? 0).toFixed(2)} of $${cap.usd}`]),
  ];
  // Part of the rest may be granted to several shards, each with less than it needs.
  const unspent = cap.calls === null ? 0 : cap.calls - recorded.calls;
  const rest = unspent <= 0 ? "" : `; the ${unspent} calls left, as they are shared out, are less than one conversation may need`;
  return {
    reason: "budget",
    message: `The budget ${stage === undefined ? "" : `of ${stage} `}is used up: ${parts.join(" and ")} are spent${rest}`,
    remedy: `Raise it, for example: npx attune budget raise ${run} ${twice.join(" ")}`,
  };
}
