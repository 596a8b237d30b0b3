import type { ContextResults, Estimate, Headline } from "../results.ts";
import { addParts, fieller, type RatioParts } from "../statistics/fieller.ts";
import { holm, pTwoSided } from "../statistics/tests.ts";
import { tQuantile } from "../statistics/student.ts";
import { verdictOf } from "./contrast.ts";
import { gapParts, levelParts } from "./parts.ts";
import { complement, notEstimable, ratioEstimate } from "./estimates.ts";
import { type Item, paired } from "./items.ts";

/** One context of one backbone: what the headline is made of. */
export interface Cell {
  readonly target: number | null;
  readonly adapter: readonly Item[];
  readonly baseline: readonly Item[];
  readonly results: ContextResults;
}

/** Contexts' verdicts after Holm's correction over all of them. */
export function adjustContrasts(contexts: readonly ContextResults[]): ContextResults[] {
  const tested = contexts.filter((c) => c.contrast?.improvement.p != null);
  const adjusted = new Map(holm(tested.map((c) => c.contrast?.improvement.p ?? 1)).map((p, i) => [tested[i], p]));
  return contexts.map((c) => {
    if (c.contrast === null) return c;
    const improvement = { ...c.contrast.improvement, pHolm: adjusted.get(c) ?? null };
    return { ...c, contrast: { ...c.contrast, improvement, verdict: verdictOf(improvement, c.contrast.reasons) } };
  });
}

/**
 * Pooled over contexts: 1 − Σ|Adapter's gap| / Σ|Baseline's gap|, with Fieller's interval. Contexts are independent;
 * backbones answer the same items, so their cells of one context are added item by item before.
 */
export function headline(
  cells: readonly Cell[],
  blocked: readonly string[],
): Pick<Headline, "gapReduction" | "factor" | "verdict" | "reasons"> {
  const contexts = [...Map.groupBy(cells, (c) => c.results.context).values()].map((group) => ({
    target: group[0]?.target ?? null,
    sets: group.map((c) => paired(c.adapter, c.baseline)),
  }));
  const parts = contexts.flatMap((c) => (c.target === null ? [] : (gapParts(c.sets, c.target) ?? [])));
  const none = whyNot(cells) ?? (parts.length < contexts.length ? "a context has too few paired items" : null);
  const pooled = none === null ? complement(ratioEstimate(parts, "Baseline's gap")) : notEstimable(none);
  const reasons = [...new Set([...blocked, ...(pooled.value === null && pooled.why !== undefined ? [pooled.why] : [])])];
  return {
    gapReduction: { pooled, macro: none === null ? macro(parts) : notEstimable(none) },
    factor: factor(contexts),
    verdict: verdictOf(difference(none === null ? parts : []), reasons),
    reasons,
  };
}

function whyNot(cells: readonly Cell[]): string | null {
  if (cells.length === 0) return "Adapter and Baseline were not both evaluated";
  for (const { results } of cells) {
    for (const arm of ["adapter", "baseline"]) {
      const gap = results.arms[arm]?.gap.mean;
      if (gap?.value == null) return `${results.title}, ${arm}: ${gap?.why ?? "no items"}`;
    }
  }
  return null;
}

/** Σ|Baseline's gap| − Σ|Adapter's gap|: one primary contrast, so no correction. */
function difference(parts: readonly RatioParts[]) {
  const sum = addParts(parts);
  if (sum === null) return { value: null, ci95: null, pHolm: null };
  const mean = sum.denominator - sum.numerator;
  const se = Math.sqrt(Math.max(0, sum.numeratorVariance + sum.denominatorVariance - 2 * sum.covariance));
  const half = tQuantile(0.975, sum.df) * se;
  return { value: mean, ci95: [mean - half, mean + half] as const, pHolm: pTwoSided({ mean, se, df: sum.df }) };
}

/** Mean of the contexts' own reductions, by the delta method; contexts without one are left out and counted. */
function macro(parts: readonly RatioParts[]): Estimate {
  const shares = parts.flatMap((p) => {
    const left = fieller(p);
    if (left === null || left.ci === null) return [];
    const variance =
      (p.numeratorVariance - 2 * left.value * p.covariance + left.value ** 2 * p.denominatorVariance) / p.denominator ** 2;
    return [{ value: 1 - left.value, variance, df: p.df }];
  });
  if (shares.length === 0) return notEstimable("no context's Baseline gap can be told from 0");
  const value = shares.reduce((sum, s) => sum + s.value, 0) / shares.length;
  const se = Math.sqrt(shares.reduce((sum, s) => sum + Math.max(0, s.variance), 0)) / shares.length;
  const half = tQuantile(0.975, Math.min(...shares.map((s) => s.df))) * se;
  const why = `over ${shares.length} of ${parts.length} contexts: in the others Baseline's gap cannot be told from 0`;
  return { value, ci95: [value - half, Math.min(1, value + half)], ...(shares.length < parts.length ? { why } : {}) };
}

function factor(contexts: readonly { target: number | null; sets: readonly ReturnType<typeof paired>[] }[]): Estimate {
  const parts = contexts.flatMap(({ target, sets }) => {
    const p = levelParts(sets);
    return p === null || target === null || target * sets.length <= p.denominator ? [] : [p];
  });
  return parts.length === 0 ? notEstimable("no context has its target above Baseline") : ratioEstimate(parts, "Baseline's level");
}
