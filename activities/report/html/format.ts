import type { Estimate } from "../../../domain/results.ts";
import type { Interval } from "../../../domain/statistics/observation.ts";
import { type Markup, markup } from "./markup.ts";

const armNames: Readonly<Record<string, string>> = {
  baseline: "Baseline",
  system_prompt: "System Prompt",
  adapter: "Adapter",
  wrong_adapter: "Wrong Adapter",
};

export const armName = (arm: string) => armNames[arm] ?? arm;

/** Stands for every number that does not exist; never 0. */
export const none: Markup = markup`<span class="none" title="not estimable">–</span>`;

/** A rounded zero has no sign. */
const minus = (text: string) => (Number(text) === 0 ? text.replace("-", "") : text.replace("-", "−"));

/** A level or a gap on 0–1. */
export const number = (value: number | null, digits = 2): Markup =>
  value === null ? none : markup`${minus(value.toFixed(digits))}`;

export const signed = (value: number | null, digits = 2): Markup =>
  value === null ? none : markup`${Number(value.toFixed(digits)) > 0 ? "+" : ""}${minus(value.toFixed(digits))}`;

export const percent = (value: number | null, digits = 0): Markup =>
  value === null ? none : markup`${minus((100 * value).toFixed(digits))} %`;

export const count = (value: number | null): Markup =>
  value === null ? none : markup`${value.toLocaleString("en").replaceAll(",", "\u202f")}`;

export function interval(ci: Interval | null, digits = 2): Markup | null {
  return ci === null ? null : markup`<span class="ci">[${number(ci[0], digits)}, ${number(ci[1], digits)}]</span>`;
}

/** A value and its interval; the reason on hover and as text where there is no value. */
export function estimate(
  e: Estimate,
  show: (value: number | null) => Markup = number,
  ci: (i: Interval) => Markup | null = interval,
): Markup {
  if (e.value === null)
    return markup`<span class="none">not estimable${e.why === undefined ? null : markup`<span class="sep">: </span><span class="why">${e.why}</span>`}</span>`;
  return markup`<b>${show(e.value)}</b> ${e.ci95 === null ? markup`<span class="ci">${e.why ?? "no interval"}</span>` : ci(e.ci95)}`;
}

export const percentInterval = (ci: Interval): Markup => markup`<span class="ci">[${percent(ci[0])}, ${percent(ci[1])}]</span>`;

/** US dollars; unknown is said, never 0. */
export const dollars = (value: number | null): Markup =>
  value === null ? markup`unknown` : markup`$${value.toFixed(value < 1 ? 4 : 2)}`;

export const short = (digest: string) => digest.slice(0, 12);
