import { describe, expect, test } from "vitest";
import { desiredLevels, linearDesired, linearExperienced, type Rating } from "../../../domain/measurement.ts";

const rating = (desired: number, experienced: number | null, satisfied: number | null = 5): Rating => ({ participant: "p", model: "m", context: "c", desired, experienced, satisfied });

test("the two instruments' ends meet at 0 and 1", () => {
  expect([linearDesired(1), linearDesired(3), linearExperienced(1), linearExperienced(5)]).toEqual([0, 1, 0, 1]);
});

describe("links", () => {
  const all = [rating(1, 2), rating(2, 3), rating(3, 4), rating(3, 1, 1)];

  test("linear", () => {
    expect(desiredLevels(all, "linear")(rating(2, null))).toBe(0.5);
  });

  test("criterion takes satisfied people only", () => {
    expect(desiredLevels(all, "criterion")(rating(3, null))).toBe(0.75);
  });

  test("equipercentile keeps the order", () => {
    const level = desiredLevels(all, "equipercentile");
    expect(level(rating(1, null))).toBeLessThanOrEqual(level(rating(2, null)));
    expect(level(rating(2, null))).toBeLessThanOrEqual(level(rating(3, null)));
  });

  test("a link without its ratings says so", () => {
    expect(() => desiredLevels([rating(1, null)], "equipercentile")).toThrow(/use link linear/);
  });
});
