import { expect, test } from "vitest";
import { drawDesired, drawPersona, familyOf } from "../../../domain/personas.ts";
import { random } from "../../../domain/random.ts";

const source = {
  names: ["Ann", "Bo", "Cy"],
  ages: [20, 30] as const,
  occupations: ["baker", "clerk"],
  manners: ["a", "b", "c", "d", "e", "f"],
};

test("a persona is a function of seed, stream, unit and draw", () => {
  expect(drawPersona(source, 1, 4, "test/distress", 0)).toEqual(drawPersona(source, 1, 4, "test/distress", 0));
  const many = Array.from({ length: 200 }, (_, unit) => drawPersona(source, 1, unit, "test/distress", 0));
  expect(new Set(many.map((p) => JSON.stringify(p))).size).toBeGreaterThan(100);
  expect(many.every(({ age }) => age >= 20 && age <= 30)).toBe(true);
  expect(new Set(many.map(({ age }) => age)).size).toBe(11);
});

test("six units show six manners, and another draw another one", () => {
  const manners = Array.from({ length: 6 }, (_, unit) => drawPersona(source, 9, unit, "s", 0).manner);
  expect(manners.toSorted()).toEqual(source.manners);
  expect(drawPersona(source, 9, 0, "s", 1).manner).not.toBe(manners[0]);
});

test("families go round, so that their numbers differ by one at most", () => {
  const families = ["f1", "f2", "f3", "f4", "f5"];
  const counts = new Map<string, number>();
  for (let unit = 0; unit < 23; unit += 1) {
    const family = familyOf(families, 3, unit, "pairs/learning");
    counts.set(family, (counts.get(family) ?? 0) + 1);
  }
  expect([...counts.values()].toSorted()).toEqual([4, 4, 5, 5, 5]);
  expect(() => familyOf([], 1, 0, "pairs/learning")).toThrow("No scenario family in pairs/learning");
});

test("desired levels follow the people's", () => {
  const levels = [0, 0.5, 0.5, 1];
  const drawn = Array.from({ length: 2000 }, (_, unit) => drawDesired(levels, 5, unit, "test/career"));
  expect(drawn.filter((x) => x === 0.5).length / 2000).toBeCloseTo(0.5, 1);
  expect(() => drawDesired([], 5, 0, "test/career")).toThrow("empty");
});

test("streams are apart: one draw more in one moves nothing in another", () => {
  const first = random(1, "a").next();
  const other = random(1, "b");
  other.next();
  expect(random(1, "a").next()).toBe(first);
  expect(random(2, "a").next()).not.toBe(first);
  const mean = Array.from({ length: 4000 }, (_, i) => random(1, "mean", i).next()).reduce((sum, x) => sum + x, 0) / 4000;
  expect(mean).toBeCloseTo(0.5, 1);
  expect(random(1, "s").shuffled([1, 2, 3, 4]).toSorted()).toEqual([1, 2, 3, 4]);
});
