import { bootstrapT } from "./bootstrap.ts";
import type { Interval, Observation } from "./observation.ts";
import { tQuantile } from "./student.ts";

/**
 * Means of several quantities with their covariance.
 * `families`: families are a sample; `conversations`: families are fixed and every claim is conditional on them.
 */
export interface Moments {
  readonly means: readonly number[];
  readonly covariance: readonly (readonly number[])[];
  readonly df: number;
  readonly scope: "families" | "conversations";
  readonly n: number;
  readonly families: number;
}

/** With fewer families than this they are taken as fixed: cluster-robust errors of so few clusters are not to be trusted. */
export const leastFamilies = 12;

/** Null below two observations, or where no spread can be estimated. */
export function moments(observations: readonly Observation[]): Moments | null {
  const n = observations.length;
  const dims = observations[0]?.values.length ?? 0;
  if (n < 2 || dims === 0) return null;
  const groups = byFamily(observations);
  const means = range(dims).map((d) => observations.reduce((sum, o) => sum + at(o.values, d), 0) / n);
  const sampled = groups.length >= leastFamilies;
  const { covariance, df } = sampled ? robust(groups, means, n) : stratified(groups, n, dims);
  return { means, covariance, df, scope: sampled ? "families" : "conversations", n, families: groups.length };
}

/** Standard error of Σ weightᵢ · meanᵢ. */
export function standardError(m: Moments, weights: readonly number[]): number {
  let variance = 0;
  for (const [i, wi] of weights.entries())
    for (const [j, wj] of weights.entries()) variance += wi * wj * at(at(m.covariance, i), j);
  return Math.sqrt(Math.max(0, variance));
}

/**
 * Two-sided interval of one mean: Student's t where families are fixed,
 * a studentised bootstrap over families and then conversations where they are a sample.
 */
export function meanInterval(observations: readonly Observation[], seed: number, level = 0.95): Interval | null {
  const m = moments(observations);
  if (m === null) return null;
  const se = standardError(m, [1]);
  const width = (m.scope === "families" ? bootstrapT(observations, { seed, level }) : tQuantile((1 + level) / 2, m.df)) * se;
  return [at(m.means, 0) - width, at(m.means, 0) + width];
}

function byFamily(observations: readonly Observation[]): readonly (readonly Observation[])[] {
  return [...Map.groupBy(observations, (o) => o.family).values()];
}

/** Liang and Zeger's cluster-robust covariance of a mean, with the F/(F−1) correction. */
function robust(groups: readonly (readonly Observation[])[], means: readonly number[], n: number) {
  const sums = groups.map((group) => means.map((m, d) => group.reduce((sum, o) => sum + at(o.values, d) - m, 0)));
  const factor = groups.length / (groups.length - 1) / n ** 2;
  const covariance = means.map((_, i) => means.map((__, j) => factor * sums.reduce((sum, s) => sum + at(s, i) * at(s, j), 0)));
  return { covariance, df: groups.length - 1 };
}

/** Stratified by family; a family of one cannot show its spread, so then all are one stratum (wider, never narrower on purpose). */
function stratified(groups: readonly (readonly Observation[])[], n: number, dims: number) {
  const strata = groups.every((group) => group.length > 1) ? groups : [groups.flat()];
  const covariance = range(dims).map((i) =>
    range(dims).map((j) =>
      strata.reduce((sum, group) => sum + (group.length / n) ** 2 * (sampleCovariance(group, i, j) / group.length), 0),
    ),
  );
  return { covariance, df: n - strata.length };
}

function sampleCovariance(group: readonly Observation[], i: number, j: number): number {
  const mi = group.reduce((sum, o) => sum + at(o.values, i), 0) / group.length;
  const mj = group.reduce((sum, o) => sum + at(o.values, j), 0) / group.length;
  return group.reduce((sum, o) => sum + (at(o.values, i) - mi) * (at(o.values, j) - mj), 0) / (group.length - 1);
}

const range = (n: number) => Array.from({ length: n }, (_, i) => i);

/** All observations carry the same quantities; a missing one is a mistake of the caller. */
function at<T>(values: readonly T[], index: number): T {
  const value = values[index];
  if (value === undefined) throw new RangeError(`observation lacks quantity ${index}`);
  return value;
}
