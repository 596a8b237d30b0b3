import { describe, expect, test } from "vitest";
import { contrast } from "../../../../domain/gap/contrast.ts";
import { gapParts } from "../../../../domain/gap/parts.ts";
import { complement, ratioEstimate } from "../../../../domain/gap/estimates.ts";
import { type Item, paired } from "../../../../domain/gap/items.ts";
import { random } from "../../../../domain/random.ts";

/** Twelve items in four families; `level` is the arm's true mean, the spread of items and answers is 0.1 each. */
function arm(level: number, seed: number, name: string, n = 12): Item[] {
  const item = random(seed, "items");
  const answer = random(seed, name);
  const noise = (from: { next(): number }) => (from.next() + from.next() + from.next() - 1.5) * 0.2;
  return Array.from({ length: n }, (_, i) => ({
    unit: `u${i}`,
    family: `f${i % 4}`,
    persona: "",
    desired: 0.4 + 0.05 * (i % 5),
    turns: [
      {
        turn: 1,
        user: "u",
        reply: "one two three",
        score: level + noise(item) + noise(answer),
        preference: null,
        judged: null,
        empty: false,
        refused: false,
        truncated: false,
      },
    ],
  }));
}
const settings = { target: 0.5, margin: 0.1, seed: 1, blocked: [] };
const compare = (adapter: Item[], baseline: Item[]) => contrast({ adapter, baseline }, settings);

describe("Adapter against Baseline", () => {
  test.each([0.5, 0.7])("A against A at level %f is no difference in about 95 %%", (level) => {
    let found = 0;
    for (let i = 0; i < 400; i++)
      if (compare(arm(level, i, "a"), arm(level, i, "b"))?.verdict !== "no difference shown") found += 1;
    expect(found / 400).toBeLessThan(0.08);
  });
  test("a planted effect is found on both sides of the target", () => {
    expect(compare(arm(0.52, 1, "a"), arm(0.8, 1, "b"))?.verdict).toBe("gap reduced");
    expect(compare(arm(0.45, 1, "a"), arm(0.15, 1, "b"))?.verdict).toBe("gap reduced");
    expect(compare(arm(0.15, 1, "a"), arm(0.45, 1, "b"))?.verdict).toBe("gap widened");
  });
  test("overshoot counts as gap", () => {
    const over = compare(arm(0.85, 1, "a"), arm(0.25, 1, "b"));
    expect(over?.verdict).not.toBe("gap reduced");
    expect(over?.overshoot.underMargin).toBe(false);
  });
  test("no share of a gap that cannot be told from 0", () => {
    const none = compare(arm(0.5, 3, "a"), arm(0.5, 3, "b"));
    expect(none?.reduction).toMatchObject({ value: null, why: "Baseline's gap cannot be told from 0" });
  });
  test("a factor only where more was wanted", () => {
    expect(compare(arm(0.5, 1, "a"), arm(0.25, 1, "b"))?.factor.value).toBeGreaterThan(1.5);
    expect(compare(arm(0.5, 1, "a"), arm(0.8, 1, "b"))?.factor.value).toBeNull();
  });
  test("an item missing in one arm is out of the paired set", () => {
    const all = arm(0.5, 1, "a");
    expect(compare(all.slice(3), arm(0.8, 1, "b"))?.improvement.n).toBe(9);
    expect(compare([], arm(0.8, 1, "b"))).toMatchObject({ verdict: "not estimable", improvement: { value: null, n: 0 } });
  });
  test("without Baseline there is nothing to compare", () =>
    expect(contrast({ adapter: arm(0.5, 1, "a") }, settings)).toBeNull());
  test("backbones on the same items are added item by item", () => {
    const one = paired(arm(0.55, 1, "a"), arm(0.8, 1, "b"));
    const [single, double] = [gapParts([one], 0.5), gapParts([one, one], 0.5)];
    expect(double?.denominator).toBeCloseTo(2 * (single?.denominator ?? 0), 12);
    expect(double?.denominatorVariance).toBeCloseTo(4 * (single?.denominatorVariance ?? 0), 12);
    if (single === null || double === null) throw new Error("no parts");
    expect(complement(ratioEstimate([double], "b")).value).toBeCloseTo(complement(ratioEstimate([single], "b")).value ?? 0, 12);
  });
});
