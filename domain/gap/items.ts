import { mean } from "../statistics/describe.ts";
import type { Observation } from "../statistics/observation.ts";

/** One evaluated turn. Null scores are missing, never 0. */
export interface ScoredTurn {
  readonly turn: number;
  readonly user: string;
  readonly reply: string;
  readonly score: number | null;
  readonly preference: number | null;
  readonly judged: number | null;
  readonly empty: boolean;
  readonly refused: boolean;
  readonly truncated: boolean;
}

/** One conversation of one arm. `unit` names the same item in every arm. */
export interface Item {
  readonly unit: string;
  readonly family: string;
  readonly persona: string;
  readonly desired: number | null;
  readonly turns: readonly ScoredTurn[];
}

/** A conversation's level: the mean of its scored turns; null when none is. */
export function level(item: Item): number | null {
  return mean(present(item.turns.map((t) => t.score)));
}

export function present<T>(values: readonly (T | null)[]): T[] {
  return values.filter((v): v is T => v !== null);
}

/** An observation for each item on which every quantity exists. */
export function observe(items: readonly Item[], ...quantities: readonly ((item: Item) => number | null)[]): Observation[] {
  return items.flatMap((item) => {
    const values = present(quantities.map((q) => q(item)));
    return values.length === quantities.length ? [{ family: item.family, values }] : [];
  });
}

/** Items of two arms joined by unit; an item missing in one arm is out of the paired set. */
export function paired(a: readonly Item[], b: readonly Item[]): { readonly a: Item; readonly b: Item }[] {
  const other = new Map(b.map((item) => [item.unit, item]));
  return a.flatMap((item) => {
    const match = other.get(item.unit);
    return match === undefined ? [] : [{ a: item, b: match }];
  });
}
