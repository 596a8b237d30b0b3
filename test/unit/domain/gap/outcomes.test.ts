import { expect, test } from "vitest";
import { armResults } from "../../../../domain/gap/arm.ts";
import type { Item, ScoredTurn } from "../../../../domain/gap/items.ts";

const turn = (changes: Partial<ScoredTurn> = {}): ScoredTurn => ({
  turn: 1,
  user: "u",
  reply: "a calm reply",
  score: 0.5,
  preference: null,
  judged: 0.5,
  empty: false,
  refused: false,
  truncated: false,
  ...changes,
});

/** Forty conversations of one turn; these are the first of them. */
function results(...first: readonly ScoredTurn[]) {
  const turns = [...first, ...Array.from({ length: 40 - first.length }, () => turn())];
  const items = turns.map((one, i): Item => ({ unit: `u${i}`, family: `f${i % 4}`, persona: "", desired: null, turns: [one] }));
  return armResults(items, { target: 0.5, margin: 0.1, conversations: 40, turns: 1, seed: 1, copied: null });
}

test("refused, cut and empty replies are counted and keep the score they were given", () => {
  const cold = { score: 0, judged: 0 };
  const arm = results(
    turn({ refused: true, ...cold }),
    turn({ refused: true, ...cold }),
    turn({ truncated: true }),
    turn({ empty: true, ...cold }),
  );
  expect(arm).toMatchObject({ refused: 2, truncated: 1, empty: 1, missing: 0, n: 40 });
  expect(arm.mean).toBeCloseTo((37 * 0.5) / 40, 12);
});

test("replies that the judge did not score are counted and have no part in its mean, not even as 0", () => {
  expect(results(turn({ judged: null }), turn({ judged: null }), turn({ judged: null })).judge).toMatchObject({
    unscored: 3,
    mean: 0.5,
  });
});

test("a few lost scores are missing; above one in twenty nothing is estimated from the rest", () => {
  const lost = (count: number) => results(...Array.from({ length: count }, () => turn({ score: null })));
  expect(lost(2)).toMatchObject({ missing: 2, n: 38, mean: 0.5 });
  expect(lost(2).gap.mean.value).toBeCloseTo(0, 12);
  expect(lost(3).gap.mean).toMatchObject({ value: null, why: expect.stringContaining("3 of 40") as string });
});
