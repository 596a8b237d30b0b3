import type { Counts } from "../contract/experiment.ts";
import type { UnitOutcome } from "../contract/units.ts";

export const noCounts: Counts = { done: 0, dropped: {}, failed: {} };

export function countOutcome(counts: Counts, outcome: UnitOutcome): Counts {
  if (outcome.status === "done") return { ...counts, done: counts.done + 1 };
  const { status, reason } = outcome;
  return { ...counts, [status]: { ...counts[status], [reason]: (counts[status][reason] ?? 0) + 1 } };
}

export function sumCounts(all: Iterable<Counts>): Counts {
  let sum = noCounts;
  for (const { done, dropped, failed } of all) {
    sum = { done: sum.done + done, dropped: sumReasons(sum.dropped, dropped), failed: sumReasons(sum.failed, failed) };
  }
  return sum;
}

export function total(reasons: Readonly<Record<string, number>>): number {
  return Object.values(reasons).reduce((a, b) => a + b, 0);
}

/** Units that have an outcome. */
export function settled({ done, dropped, failed }: Counts): number {
  return done + total(dropped) + total(failed);
}

/** Units that ended without a row. */
export function gaveUp({ dropped, failed }: Counts): number {
  return total(dropped) + total(failed);
}

function sumReasons(a: Readonly<Record<string, number>>, b: Readonly<Record<string, number>>): Record<string, number> {
  const sum: Record<string, number> = { ...a };
  for (const [reason, count] of Object.entries(b)) sum[reason] = (sum[reason] ?? 0) + count;
  return sum;
}
