import { type Markup, markup } from "../markup.ts";
import { colour } from "./bar.ts";

/** Counts over equal bins of 0–1, each chart to its own height; a tick where people wanted the level. */
export function histogramChart({
  arm,
  counts,
  desired,
  label,
}: {
  arm: string;
  counts: readonly number[];
  desired: number | null;
  label: string;
}): Markup {
  const top = Math.max(...counts, 0);
  if (top === 0) return markup`<span class="none">no scores</span>`;
  const width = 100 / counts.length;
  return markup`<svg viewBox="0 0 100 40" preserveAspectRatio="none" role="img" aria-label="${label}">
${counts.map((n, i) => (n === 0 ? null : markup`<rect x="${(i * width + 0.4).toFixed(2)}" y="${(40 - (38 * n) / top).toFixed(2)}" width="${(width - 0.8).toFixed(2)}" height="${((38 * n) / top).toFixed(2)}" fill="${colour(arm)}"/>`))}
${desired === null ? null : markup`<line class="desired" x1="${(100 * desired).toFixed(1)}" x2="${(100 * desired).toFixed(1)}" y1="0" y2="40" vector-effect="non-scaling-stroke"/>`}</svg>`;
}
