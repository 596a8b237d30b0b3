import { expect, test } from "vitest";
import { desiredLevels, mean, type Rating, standardDeviation } from "../../../domain/measurement.ts";

const rating = (desired: number, experienced: number | null, satisfied: number | null = 5): Rating => ({
  participant: "p",
  model: "m",
  context: "c",
  desired,
  experienced,
  satisfied,
});

test("linear: 1–3 onto 0–1", () => {
  const level = desiredLevels([], "linear");
  expect([1, 2, 3].map((x) => level(rating(x, null)))).toEqual([0, 0.5, 1]);
});

test("equipercentile: the experienced level at the same percentile", () => {
  const all = [rating(1, 1), rating(1, 2), rating(3, 4), rating(3, 5)];
  const level = desiredLevels(all, "equipercentile");
  expect(level(rating(1, null))).toBe(0.25);
  expect(level(rating(3, null))).toBe(1);
  expect(level(rating(1, null))).toBeLessThan(level(rating(3, null)));
});

test("criterion: the mean experience of satisfied people at that level", () => {
  const all = [rating(1, 2), rating(1, 4), rating(1, 5, 2), rating(3, 5)];
  const level = desiredLevels(all, "criterion");
  expect(level(rating(1, null))).toBe(0.5);
  expect(level(rating(3, null))).toBe(1);
  expect(() => level(rating(2, null))).toThrow("satisfied people who desired 2");
});

test("a link without its ratings is refused", () => {
  expect(() => desiredLevels([rating(1, null)], "criterion")).toThrow("use link linear");
});

test("mean and spread", () => {
  expect(mean([1, 2, 6])).toBe(3);
  expect(standardDeviation([2, 4])).toBeCloseTo(Math.SQRT2);
  expect(standardDeviation([2])).toBe(0);
});
