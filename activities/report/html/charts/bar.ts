import type { Interval } from "../../../../domain/statistics/observation.ts";
import { type Markup, markup } from "../markup.ts";

interface Bar {
  readonly arm: string;
  readonly value: number | null;
  readonly ci95: Interval | null;
  readonly desired: number | null;
  readonly label: string;
}

/** One arm's level on 0–1: bar, interval whisker, and a tall tick where people wanted it. Stretches with its cell; strokes do not. */
export function levelBar({ arm, value, ci95, desired, label }: Bar): Markup {
  const x = (v: number) => (100 * Math.min(1, Math.max(0, v))).toFixed(2);
  return markup`<svg viewBox="0 0 100 20" preserveAspectRatio="none" role="img" aria-label="${label}">
${[0, 25, 50, 75, 100].map((at) => markup`<line class="axis" x1="${at}" x2="${at}" y1="0" y2="20" vector-effect="non-scaling-stroke"/>`)}
${value === null ? null : markup`<rect x="0" y="4" width="${x(value)}" height="12" fill="${colour(arm)}" fill-opacity=".82"/>`}
${ci95 === null ? null : markup`<path d="M${x(ci95[0])} 10H${x(ci95[1])}M${x(ci95[0])} 6V14M${x(ci95[1])} 6V14" stroke="var(--ink)" stroke-width="1.4" fill="none" vector-effect="non-scaling-stroke"/>`}
${desired === null ? null : markup`<line class="desired" x1="${x(desired)}" x2="${x(desired)}" y1="0" y2="20" vector-effect="non-scaling-stroke"/>`}</svg>`;
}

/** A share with its interval on −50 % to 100 %, for the headline; ends that lie outside are cut and marked by an arrow. */
export function shareBar(value: number, ci95: Interval | null): Markup {
  const [from, to] = [-0.5, 1];
  const x = (v: number) => (20 + (400 * (Math.min(to, Math.max(from, v)) - from)) / (to - from)).toFixed(1);
  const ticks = [-0.5, 0, 0.5, 1];
  const cut =
    ci95 === null
      ? []
      : [
          ...(ci95[0] < from ? [markup`<path d="M${x(from)} 24l8 -5v10z" fill="var(--ink)"/>`] : []),
          ...(ci95[1] > to ? [markup`<path d="M${x(to)} 24l-8 -5v10z" fill="var(--ink)"/>`] : []),
        ];
  return markup`<svg viewBox="0 0 440 62" role="img" aria-label="Share of the gap closed with its 95 % interval">
${ticks.map((t) => markup`<line class="${t === 0 ? "zero" : "axis"}" x1="${x(t)}" x2="${x(t)}" y1="6" y2="42"/><text x="${x(t)}" y="58" text-anchor="middle">${t < 0 ? "−" : ""}${Math.abs(t) * 100} %</text>`)}
<rect x="${x(Math.min(0, value))}" y="15" width="${(Number(x(Math.max(0, value))) - Number(x(Math.min(0, value)))).toFixed(1)}" height="18" rx="3" fill="${value >= 0 ? "var(--adapter)" : "var(--bad-ink)"}" fill-opacity=".82"/>
${ci95 === null ? null : markup`<path d="M${x(ci95[0])} 24H${x(ci95[1])}M${x(ci95[0])} 17V31M${x(ci95[1])} 17V31" stroke="var(--ink)" stroke-width="2" fill="none"/>`}${cut}</svg>`;
}

const known = new Set(["baseline", "system_prompt", "adapter", "wrong_adapter"]);

/** The arm's colour, as a CSS variable of the page. */
export const colour = (arm: string) => `var(--${known.has(arm) ? arm : "other"})`;
