import { moments } from "../statistics/clusters.ts";
import { mean } from "../statistics/describe.ts";
import { ratioParts, type RatioParts } from "../statistics/fieller.ts";
import type { Observation } from "../statistics/observation.ts";
import { type Item, level } from "./items.ts";

/** Items of one pair of arms, as one observation each. */
export interface Pair {
  readonly a: Item;
  readonly b: Item;
}

/**
 * Numerator: Adapter's |gap|; denominator: Baseline's. Signs are those of the means, so both stay linear in the items.
 * Several sets are several backbones on the same items: they are added item by item.
 */
export function gapParts(sets: readonly (readonly Pair[])[], target: number): RatioParts | null {
  return addedParts(sets, (pairs) => {
    const sign = signs(pairs, target);
    return ({ a, b }) => [sign.a * (a - target), sign.b * (b - target)];
  });
}

/** Levels of Adapter (numerator) and Baseline (denominator), added over backbones. */
export function levelParts(sets: readonly (readonly Pair[])[]): RatioParts | null {
  return addedParts(sets, () => ({ a, b }) => [a, b]);
}

interface Levels {
  readonly a: number;
  readonly b: number;
}

function addedParts(
  sets: readonly (readonly Pair[])[],
  values: (pairs: readonly Pair[]) => (levels: Levels) => [number, number],
): RatioParts | null {
  const sums = new Map<string, { family: string; times: number; values: [number, number] }>();
  for (const pairs of sets) {
    const of = values(pairs);
    for (const { a, b } of complete(pairs)) {
      const [n, d] = of({ a: levelOf(a), b: levelOf(b) });
      const sum = sums.get(a.unit) ?? { family: a.family, times: 0, values: [0, 0] };
      sums.set(a.unit, { family: a.family, times: sum.times + 1, values: [sum.values[0] + n, sum.values[1] + d] });
    }
  }
  const m = moments([...sums.values()].filter((sum) => sum.times === sets.length));
  return m === null ? null : ratioParts(m);
}

const complete = (pairs: readonly Pair[]) => pairs.filter(({ a, b }) => level(a) !== null && level(b) !== null);

/** +1 where the mean level stands at or above the target, else −1; for each arm. */
function signs(pairs: readonly Pair[], target: number) {
  const both = complete(pairs);
  const side = (items: readonly Item[]) => ((mean(items.map(levelOf)) ?? target) >= target ? 1 : -1);
  return { a: side(both.map((p) => p.a)), b: side(both.map((p) => p.b)) };
}

/** |gap of b| − |gap of a| per item, folded by the signs of the mean gaps. */
export function foldedDifference(pairs: readonly Pair[], target: number): Observation[] {
  const sign = signs(pairs, target);
  return complete(pairs).map(({ a, b }) => ({
    family: a.family,
    values: [sign.b * (levelOf(b) - target) - sign.a * (levelOf(a) - target)],
  }));
}

/** For items already known to have a level. */
const levelOf = (item: Item) => level(item) ?? Number.NaN;
