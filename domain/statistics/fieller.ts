import type { Moments } from "./clusters.ts";
import type { Interval } from "./observation.ts";
import { tQuantile } from "./student.ts";

/** A ratio of two correlated means; `ci` is null where the denominator cannot be told from 0. */
export interface Ratio {
  readonly value: number;
  readonly ci: Interval | null;
}

/**
 * Means, variances and covariance of a numerator and a denominator.
 * Built by `ratioParts` from one set of observations; parts of independent sets may be added.
 */
export interface RatioParts {
  readonly numerator: number;
  readonly denominator: number;
  readonly numeratorVariance: number;
  readonly denominatorVariance: number;
  readonly covariance: number;
  readonly df: number;
}

/** Fieller's interval (Fieller 1954; Franz 2007, eq. 4). Unbounded sets are not shown: `ci` is null instead. */
export function fieller(parts: RatioParts, level = 0.95): Ratio | null {
  const { numerator, denominator, numeratorVariance: vn, denominatorVariance: vd, covariance: c, df } = parts;
  if (denominator === 0) return null;
  const value = numerator / denominator;
  const t2 = tQuantile((1 + level) / 2, df) ** 2;
  const g = (t2 * vd) / denominator ** 2;
  if (g >= 1) return { value, ci: null };
  const under = vn - 2 * value * c + value ** 2 * vd - (g * vn - (t2 * c ** 2) / denominator ** 2);
  const half = Math.sqrt(t2 * Math.max(0, under)) / Math.abs(denominator);
  const centre = value - (t2 * c) / denominator ** 2;
  return { value, ci: [(centre - half) / (1 - g), (centre + half) / (1 - g)] };
}

/** Parts from quantities 0 (numerator) and 1 (denominator), moved by known constants. */
export function ratioParts(m: Moments): RatioParts {
  const [numerator = Number.NaN, denominator = Number.NaN] = m.means;
  const cov = (i: number, j: number) => m.covariance[i]?.[j] ?? Number.NaN;
  return {
    numerator,
    denominator,
    numeratorVariance: cov(0, 0),
    denominatorVariance: cov(1, 1),
    covariance: cov(0, 1),
    df: m.df,
  };
}

/** Sum of independent parts; degrees of freedom are the least of all, which is the wide side. */
export function addParts(parts: readonly RatioParts[]): RatioParts | null {
  return parts.length === 0
    ? null
    : parts.reduce((a, b) => ({
        numerator: a.numerator + b.numerator,
        denominator: a.denominator + b.denominator,
        numeratorVariance: a.numeratorVariance + b.numeratorVariance,
        denominatorVariance: a.denominatorVariance + b.denominatorVariance,
        covariance: a.covariance + b.covariance,
        df: Math.min(a.df, b.df),
      }));
}
