import { foldedDifference } from "./gap/parts.ts";
import { estimated, meanEstimate } from "./gap/estimates.ts";
import { type Item, paired } from "./gap/items.ts";
import type { Estimate } from "./results.ts";
import { detectableDifference, holm, pAbove } from "./statistics/tests.ts";

/** Fewer paired items than this cannot carry a night's verdict. */
const leastItems = 5;

/** One context of one backbone, tonight and in the accepted reference: the adapter's answers to the same items. */
export interface NightPair {
  readonly backbone: string;
  readonly context: string;
  readonly target: number | null;
  readonly night: readonly Item[];
  readonly reference: readonly Item[];
}

export interface NightContext {
  readonly backbone: string;
  readonly context: string;
  readonly verdict: "passed" | "regressed" | "not estimable";
  /** |gap tonight| − |gap of the reference|, paired by item; plus is worse. */
  readonly worsening: Estimate;
  readonly items: number;
  /** P that the worsening is at most the margin, Holm-corrected over contexts; null where not estimable. */
  readonly pHolm: number | null;
  /** Worsening that a two-sided 5 % test would find with 80 % power. */
  readonly detectable: number | null;
}

/**
 * Regressed: the worsening exceeds the margin by a one-sided 5 % test, Holm-corrected over contexts.
 * The same measure judges both nights, so its bias cancels: no calibration gate here.
 */
export function compareNight(pairs: readonly NightPair[], { margin, seed }: { margin: number; seed: number }): NightContext[] {
  const rows = pairs.map((pair) => {
    const differences = pair.target === null ? [] : foldedDifference(paired(pair.reference, pair.night), pair.target);
    return { pair, differences, test: differences.length < leastItems ? null : estimated(differences) };
  });
  const tested = rows.filter((row) => row.test !== null);
  const adjusted = new Map(
    holm(tested.map(({ test }) => (test === null ? 1 : pAbove(test, margin)))).map((p, i) => [tested[i], p]),
  );
  return rows.map((row) => {
    const { pair, differences, test } = row;
    const pHolm = adjusted.get(row) ?? null;
    const base = { backbone: pair.backbone, context: pair.context, items: differences.length, pHolm };
    if (test === null || pHolm === null) {
      const why =
        pair.target === null ? "no desired level" : `${differences.length} paired items, at least ${leastItems} are needed`;
      return { ...base, verdict: "not estimable", worsening: { value: null, ci95: null, why }, detectable: null };
    }
    return {
      ...base,
      verdict: pHolm < 0.05 ? "regressed" : "passed",
      worsening: meanEstimate(differences, seed),
      detectable: detectableDifference(test),
    };
  });
}

/** A night regressed if a context did; it passed only if every context could be judged. */
export function nightVerdict(contexts: readonly NightContext[]): NightContext["verdict"] {
  if (contexts.some((c) => c.verdict === "regressed")) return "regressed";
  return contexts.length > 0 && contexts.every((c) => c.verdict === "passed") ? "passed" : "not estimable";
}
