/** Arithmetic mean; null of nothing. */
export function mean(values: readonly number[]): number | null {
  return values.length === 0 ? null : values.reduce((sum, v) => sum + v, 0) / values.length;
}

/** Standard deviation with n − 1; null below two values. */
export function sd(values: readonly number[]): number | null {
  const m = mean(values);
  if (m === null || values.length < 2) return null;
  return Math.sqrt(values.reduce((sum, v) => sum + (v - m) ** 2, 0) / (values.length - 1));
}

/** Sample quantile by linear interpolation (Hyndman and Fan's type 7); null of nothing. */
export function quantile(values: readonly number[], p: number): number | null {
  const sorted = values.toSorted((a, b) => a - b);
  const at = (sorted.length - 1) * p;
  const low = sorted[Math.floor(at)];
  const high = sorted[Math.ceil(at)];
  return low === undefined || high === undefined ? null : low + (high - low) * (at - Math.floor(at));
}

/** Counts in `bins` equal bins over 0–1; values outside go to the end bins. */
export function histogram(values: readonly number[], bins: number): number[] {
  const counts = Array.from({ length: bins }, () => 0);
  for (const value of values) {
    const bin = Math.min(bins - 1, Math.max(0, Math.floor(value * bins)));
    counts[bin] = (counts[bin] ?? 0) + 1;
  }
  return counts;
}

/** Least-squares slope of y over x; null below two distinct x. */
export function slope(points: readonly { readonly x: number; readonly y: number }[]): number | null {
  const mx = mean(points.map((p) => p.x));
  const my = mean(points.map((p) => p.y));
  if (mx === null || my === null) return null;
  const sxx = points.reduce((sum, p) => sum + (p.x - mx) ** 2, 0);
  return sxx === 0 ? null : points.reduce((sum, p) => sum + (p.x - mx) * (p.y - my), 0) / sxx;
}
