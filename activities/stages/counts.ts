import type { UnitOutcome } from "../../contract/units.ts";

/**
 * asked = done + dropped + failed; `dropped:<reason>` and `failed:<reason>` add up to theirs. `asked`: units of the batches, which have all ended
 * before a seal. One whose activity failed (unusable data or configuration, an altered file) left no record: it is counted as `failed:no-record`.
 */
export function outcomeCounter(asked: number) {
  const counts: Record<string, number> = { asked, done: 0, dropped: 0, failed: 0 };
  let recorded = 0;
  const add = (name: string, by = 1) => {
    counts[name] = (counts[name] ?? 0) + by;
  };
  return {
    add: (outcome: UnitOutcome) => {
      recorded += 1;
      add(outcome.status);
      if (outcome.status !== "done") add(`${outcome.status}:${outcome.reason}`);
    },
    /** Once every record was added. */
    counts: (): Record<string, number> => {
      const missing = asked - recorded;
      if (missing <= 0) return { ...counts };
      return { ...counts, failed: (counts["failed"] ?? 0) + missing, "failed:no-record": missing };
    },
  };
}

/** Counts after so many that were done are left out of the stage's output for this reason. */
export function leftOut(counts: Readonly<Record<string, number>>, reason: string, number: number): Record<string, number> {
  if (number === 0) return { ...counts };
  const add = (name: string, by: number) => ({ [name]: (counts[name] ?? 0) + by });
  return { ...counts, ...add("done", -number), ...add("dropped", number), ...add(`dropped:${reason}`, number) };
}
