import { tCdf, tQuantile } from "./student.ts";

/** A mean, its standard error and degrees of freedom. */
export interface Estimated {
  readonly mean: number;
  readonly se: number;
  readonly df: number;
}

/** P of so large a mean if the truth were at most `bound`. Without spread it is 0 or 1. */
export function pAbove({ mean, se, df }: Estimated, bound: number): number {
  if (se === 0) return mean > bound ? 0 : 1;
  return 1 - tCdf((mean - bound) / se, df);
}

/** Two-sided P that the mean is 0. */
export function pTwoSided({ mean, se, df }: Estimated): number {
  return 2 * Math.min(0.5, pAbove({ mean: Math.abs(mean), se, df }, 0));
}

/** Two one-sided tests (Schuirmann 1987): the P that the mean lies outside ±margin. */
export function pTost({ mean, se, df }: Estimated, margin: number): number {
  return Math.max(pAbove({ mean, se, df }, -margin), pAbove({ mean: -mean, se, df }, -margin));
}

/** Holm's step-down adjustment (1979), in the order given. */
export function holm(ps: readonly number[]): number[] {
  const order = ps.map((p, i) => ({ p, i })).toSorted((a, b) => a.p - b.p);
  const adjusted = ps.map(() => 1);
  let running = 0;
  for (const [rank, { p, i }] of order.entries()) {
    running = Math.max(running, Math.min(1, p * (ps.length - rank)));
    adjusted[i] = running;
  }
  return adjusted;
}

/** The true difference that a two-sided 5 % test would find with 80 % power, at this standard error. */
export function detectableDifference({ se, df }: Pick<Estimated, "se" | "df">): number {
  return (tQuantile(0.975, df) + tQuantile(0.8, df)) * se;
}
