import { random } from "../random.ts";
import { quantile } from "./describe.ts";
import type { Observation } from "./observation.ts";

/** Resamples behind every bootstrap figure. */
const resamples = 999;

/**
 * Critical value of |t| for the first quantity's mean: families are drawn with replacement, then conversations within each,
 * and every resample is studentised by its own cluster-robust error (Davison and Hinkley 1997, 3.8; Cameron, Gelbach and Miller 2008).
 */
export function bootstrapT(observations: readonly Observation[], { seed, level }: { seed: number; level: number }): number {
  const groups = [...Map.groupBy(observations, (o) => o.family).values()].map((group) =>
    group.map((o) => o.values[0] ?? Number.NaN),
  );
  const centre = studentise(groups).mean;
  const { pick } = random(seed, "bootstrap");
  const ts: number[] = [];
  for (let b = 0; b < resamples; b++) {
    const sample = studentise(groups.map(() => pick(groups)).map((group) => group.map(() => pick(group))));
    if (sample.se > 0) ts.push(Math.abs(sample.mean - centre) / sample.se);
  }
  return quantile(ts, level) ?? Number.POSITIVE_INFINITY;
}

function studentise(groups: readonly (readonly number[])[]): { mean: number; se: number } {
  const n = groups.reduce((sum, group) => sum + group.length, 0);
  const mean = groups.reduce((sum, group) => sum + group.reduce((s, v) => s + v, 0), 0) / n;
  const squares = groups.reduce((sum, group) => sum + group.reduce((s, v) => s + v - mean, 0) ** 2, 0);
  return { mean, se: Math.sqrt((groups.length / (groups.length - 1)) * squares) / n };
}
