import { describe, expect, test } from "vitest";
import { drawDesired, drawPersona, familyOf } from "../../../domain/personas.ts";
import { random } from "../../../domain/random.ts";

const source = { names: ["Ann", "Ben", "Cleo"], ages: [20, 60] as const, occupations: ["baker", "nurse"], manners: ["a", "b", "c", "d", "e", "f"] };

describe("draws", () => {
  test("the same seed and unit draw the same person", () => {
    expect(drawPersona(source, 7, 3, "pairs", 0)).toEqual(drawPersona(source, 7, 3, "pairs", 0));
  });

  test("another draw, unit or stream is another stream of chance", () => {
    const ages = [0, 1, 2, 3, 4, 5, 6, 7].map((unit) => drawPersona(source, 7, unit, "pairs", 0).age);
    expect(new Set(ages).size).toBeGreaterThan(3);
    expect(ages.every((age) => age >= 20 && age <= 60)).toBe(true);
  });

  test("six units meet six manners", () => {
    expect(new Set([0, 1, 2, 3, 4, 5].map((unit) => drawPersona(source, 7, unit, "pairs", 0).manner)).size).toBe(6);
  });

  test("families go round evenly", () => {
    const drawn = Array.from({ length: 24 }, (_, unit) => familyOf(["a", "b", "c", "d"], 7, unit, "test"));
    for (const family of ["a", "b", "c", "d"]) expect(drawn.filter((f) => f === family)).toHaveLength(6);
  });

  test("desired levels follow the stated ones", () => {
    const drawn = Array.from({ length: 2000 }, (_, unit) => drawDesired([0, 0, 0, 1], 7, unit, "test"));
    const share = drawn.filter((level) => level === 1).length / drawn.length;
    expect(share).toBeGreaterThan(0.2);
    expect(share).toBeLessThan(0.3);
  });

  test("an empty list is an error, not undefined", () => {
    expect(() => random(1, "x").pick([])).toThrow(RangeError);
  });
});
