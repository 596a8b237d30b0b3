import type { Contrast, Estimate, Verdict } from "../results.ts";
import { moments, standardError } from "../statistics/clusters.ts";
import { mean, quantile } from "../statistics/describe.ts";
import { ratioParts } from "../statistics/fieller.ts";
import { detectableDifference, pTwoSided } from "../statistics/tests.ts";
import { tQuantile } from "../statistics/student.ts";
import { words } from "../text-measures.ts";
import { foldedDifference, gapParts, levelParts, type Pair } from "./parts.ts";
import { ownGap, turnSlope } from "./arm.ts";
import { complement, estimated, meanEstimate, notEstimable, ratioEstimate } from "./estimates.ts";
import { type Item, level, observe, paired, present } from "./items.ts";

export interface ContrastSettings {
  readonly target: number | null;
  readonly margin: number;
  readonly seed: number;
  /** Why no verdict may be given, whatever the numbers say. */
  readonly blocked: readonly string[];
}

/** Adapter against Baseline on the same items. `pHolm` is p here; `adjustContrasts` sets it over all contexts. */
export function contrast(arms: Readonly<Record<string, readonly Item[]>>, settings: ContrastSettings): Contrast | null {
  const { adapter, baseline } = arms;
  if (adapter === undefined || baseline === undefined) return null;
  const { target, margin, seed } = settings;
  const pairs = paired(adapter, baseline);
  const improvement = target === null ? [] : foldedDifference(pairs, target);
  const test = estimated(improvement);
  const p = test === null ? null : pTwoSided(test);
  const parts = target === null ? null : gapParts([pairs], target);
  const upper = upperGap(adapter, target);
  const base: Omit<Contrast, "verdict"> = {
    improvement: {
      ...meanEstimate(improvement, seed),
      p,
      pHolm: p,
      detectable: test === null ? null : detectableDifference(test),
      n: improvement.length,
    },
    shift: meanEstimate(difference(pairs, level), seed),
    shiftAtEqualLength: atEqualLength(pairs),
    reduction:
      parts === null ? notEstimable("no desired level or too few items") : complement(ratioEstimate([parts], "Baseline's gap")),
    convReduction: convReduction(pairs),
    factor: factor(pairs, target),
    overshoot: { upper, underMargin: upper === null ? null : upper < margin },
    preferred: preferred(pairs),
    slopes: Object.fromEntries(
      Object.entries(arms)
        .filter(([arm]) => arm !== "baseline")
        .map(([arm, items]) => [arm, meanEstimate(difference(paired(items, baseline), turnSlope), seed)]),
    ),
    reasons: settings.blocked,
  };
  return { ...base, verdict: verdictOf(base.improvement, settings.blocked) };
}

export function verdictOf(
  improvement: Pick<Contrast["improvement"], "value" | "ci95" | "pHolm">,
  blocked: readonly string[],
): Verdict {
  const { value, ci95, pHolm } = improvement;
  if (blocked.length > 0 || value === null || ci95 === null || pHolm === null) return "not estimable";
  if (pHolm >= 0.05) return "no difference shown";
  return value > 0 ? "gap reduced" : "gap widened";
}

function difference(pairs: readonly Pair[], quantity: (item: Item) => number | null) {
  return pairs.flatMap(({ a, b }) => {
    const [qa, qb] = [quantity(a), quantity(b)];
    return qa === null || qb === null ? [] : [{ family: a.family, values: [qa - qb] }];
  });
}

/** Intercept of the level difference on the difference in words a reply: least squares over items. */
function atEqualLength(pairs: readonly Pair[]): Estimate {
  const meanWords = (item: Item) => mean(item.turns.map((t) => words(t.reply).length));
  const rows = pairs.flatMap(({ a, b }) => {
    const [la, lb, wa, wb] = [level(a), level(b), meanWords(a), meanWords(b)];
    return la === null || lb === null || wa === null || wb === null ? [] : [{ x: wa - wb, y: la - lb }];
  });
  const [mx, my] = [mean(rows.map((r) => r.x)), mean(rows.map((r) => r.y))];
  if (mx === null || my === null || rows.length < 4) return notEstimable("fewer than 4 paired items");
  const sxx = rows.reduce((sum, r) => sum + (r.x - mx) ** 2, 0);
  if (sxx === 0) return notEstimable("replies do not differ in length");
  const b = rows.reduce((sum, r) => sum + (r.x - mx) * (r.y - my), 0) / sxx;
  const residual = rows.reduce((sum, r) => sum + (r.y - my - b * (r.x - mx)) ** 2, 0) / (rows.length - 2);
  const half = tQuantile(0.975, rows.length - 2) * Math.sqrt(residual * (1 / rows.length + mx ** 2 / sxx));
  return { value: my - b * mx, ci95: [my - b * mx - half, my - b * mx + half] };
}

function convReduction(pairs: readonly Pair[]): Estimate {
  const middle = quantile(present(pairs.map((p) => p.a.desired)), 0.5);
  if (middle === null) return notEstimable("conversations carry no desired level of their own");
  const observations = pairs.flatMap(({ a, b }) => {
    const [ga, gb] = [ownGap(a), ownGap(b)];
    const floor = a.desired === null ? null : Math.abs(a.desired - middle);
    return ga === null || gb === null || floor === null ? [] : [{ family: a.family, values: [gb - ga, gb - floor] }];
  });
  const m = moments(observations);
  return m === null
    ? notEstimable("fewer than 2 paired items")
    : ratioEstimate([ratioParts(m)], "the attainable part of Baseline's gap");
}

function factor(pairs: readonly Pair[], target: number | null): Estimate {
  const parts = levelParts([pairs]);
  if (parts === null || target === null) return notEstimable("no desired level or too few items");
  if (target <= parts.denominator) return notEstimable("the target is not above Baseline");
  return ratioEstimate([parts], "Baseline's level");
}

function upperGap(adapter: readonly Item[], target: number | null): number | null {
  const m = moments(observe(adapter, level));
  const achieved = m?.means[0];
  if (m === null || achieved === undefined || target === null) return null;
  return achieved - target + tQuantile(0.95, m.df) * standardError(m, [1]);
}

function preferred(pairs: readonly Pair[]): number | null {
  const outcomes = pairs.flatMap(({ a, b }) =>
    a.turns.flatMap((turn) => {
      const other = b.turns.find((t) => t.turn === turn.turn)?.preference ?? null;
      if (turn.preference === null || other === null) return [];
      return [turn.preference > other ? 1 : turn.preference === other ? 0.5 : 0];
    }),
  );
  return mean(outcomes);
}
