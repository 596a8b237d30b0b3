import type { Estimate } from "../results.ts";
import { meanInterval, moments, standardError } from "../statistics/clusters.ts";
import { addParts, fieller, type RatioParts } from "../statistics/fieller.ts";
import type { Interval, Observation } from "../statistics/observation.ts";
import type { Estimated } from "../statistics/tests.ts";

/** More missing than this moves the worst-case bounds (every missing score 0, or 1) further than 5 points apart. */
export const mostMissing = 0.05;

export function notEstimable(why: string): Estimate & { readonly value: null; readonly ci95: null } {
  return { value: null, ci95: null, why };
}

/** Mean of the first quantity with its interval; a single conversation has a value and no interval. */
export function meanEstimate(observations: readonly Observation[], seed: number): Estimate {
  const values = observations.map((o) => o.values[0] ?? Number.NaN);
  if (values.length === 0) return notEstimable("no scored conversation");
  const value = values.reduce((sum, v) => sum + v, 0) / values.length;
  const ci95 = meanInterval(observations, seed);
  return ci95 === null ? { value, ci95, why: "one conversation has no interval" } : { value, ci95 };
}

/** For tests of the first quantity's mean; null below two conversations. */
export function estimated(observations: readonly Observation[]): Estimated | null {
  const m = moments(observations);
  const mean = m?.means[0];
  return m === null || mean === undefined ? null : { mean, se: standardError(m, [1]), df: m.df };
}

/** Σ numerators / Σ denominators with Fieller's interval, or the reason why there is none. */
export function ratioEstimate(parts: readonly RatioParts[], denominator: string): Estimate {
  const sum = addParts(parts);
  const ratio = sum === null ? null : fieller(sum);
  if (ratio === null) return notEstimable(`${denominator} is not estimable`);
  if (ratio.ci === null) return notEstimable(`${denominator} cannot be told from 0`);
  return { value: ratio.value, ci95: ratio.ci };
}

/** From the share of a gap that is left to the share that was closed: never above 1, since what is left is a size. */
export function complement(estimate: Estimate): Estimate {
  if (estimate.value === null || estimate.ci95 === null) return estimate;
  return { ...estimate, value: 1 - estimate.value, ci95: [1 - estimate.ci95[1], Math.min(1, 1 - estimate.ci95[0])] };
}

/** Interval of |x| from an interval of x. */
export function fold([low, high]: Interval): Interval {
  if (low >= 0) return [low, high];
  return high <= 0 ? [-high, -low] : [0, Math.max(-low, high)];
}
