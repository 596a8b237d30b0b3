import { describe, expect, test } from "vitest";
import { compareNight, nightVerdict } from "../../../domain/nights.ts";
import { random as stream } from "../../../domain/random.ts";
import type { Item } from "../../../domain/gap/items.ts";

const items = (level: number, n: number, seed: number): Item[] => {
  const random = stream(seed).next;
  return Array.from({ length: n }, (_, i) => ({
    unit: `distress-${i}`,
    family: `f${i % 4}`,
    persona: "",
    desired: null,
    turns: [
      {
        turn: 1,
        user: "u",
        reply: "r",
        score: level + 0.1 * (random() - 0.5),
        preference: null,
        judged: null,
        empty: false,
        refused: false,
        truncated: false,
      },
    ],
  }));
};
const pair = (night: Item[], reference: Item[]) => ({ backbone: "b", context: "distress", target: 0.78, night, reference });
const settings = { margin: 0.1, seed: 1 };

describe("a night", () => {
  test("passes on fresh answers of the same experts", () => {
    const contexts = compareNight([pair(items(0.75, 12, 1), items(0.75, 12, 2))], settings);
    expect(nightVerdict(contexts)).toBe("passed");
    expect(contexts[0]?.detectable).toBeGreaterThan(0);
  });
  test("regressed when an expert was swapped", () =>
    expect(nightVerdict(compareNight([pair(items(0.4, 12, 1), items(0.75, 12, 2))], settings))).toBe("regressed"));
  test("overshoot is worse too", () =>
    expect(nightVerdict(compareNight([pair(items(0.99, 12, 1), items(0.77, 12, 2))], settings))).toBe("regressed"));
  test("a better night passes", () =>
    expect(nightVerdict(compareNight([pair(items(0.77, 12, 1), items(0.5, 12, 2))], settings))).toBe("passed"));
  test("too few items, no items, no contexts: not estimable", () => {
    expect(nightVerdict(compareNight([pair(items(0.7, 4, 1), items(0.7, 12, 2))], settings))).toBe("not estimable");
    expect(nightVerdict(compareNight([pair([], [])], settings))).toBe("not estimable");
    expect(nightVerdict([])).toBe("not estimable");
  });
  test("false alarms of A-vs-A nights stay rare", () => {
    let alarms = 0;
    for (let i = 0; i < 300; i++)
      if (nightVerdict(compareNight([pair(items(0.7, 12, 2 * i), items(0.7, 12, 2 * i + 1))], settings)) === "regressed")
        alarms += 1;
    expect(alarms).toBe(0);
  });
});
