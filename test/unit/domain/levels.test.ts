import { expect, test } from "vitest";
import { type Judged, meanJudged, overallLevel, type Ratings, unrated } from "../../../domain/levels.ts";

const ratings = (value: number, changes: Partial<Ratings> = {}): Ratings => ({
  affective: value,
  cognitive: value,
  response: value,
  prosocial: value,
  interest: value,
  contextual: value,
  relational: value,
  ...changes,
});

test("the overall level is the mean of the fixed six on 0–1", () => {
  expect(overallLevel(ratings(1))).toBe(0);
  expect(overallLevel(ratings(5))).toBe(1);
  expect(overallLevel(ratings(3, { affective: 5, cognitive: 1 }))).toBe(0.5);
});

test("relational continuity stands apart, another gap is missing", () => {
  expect(overallLevel(ratings(3, { relational: null }))).toBe(0.5);
  expect(overallLevel(ratings(3, { relational: 5 }))).toBe(0.5);
  expect(overallLevel(ratings(3, { interest: null }))).toBeNull();
});

test("repeated judgements: the mean of those that were scored", () => {
  const failed: Judged = { overall: null, dimensions: unrated, unscored: "cut" };
  const run = (value: number): Judged => ({ overall: (value - 1) / 4, dimensions: ratings(value, { relational: null }) });
  expect(meanJudged([run(2), failed, run(4)])).toEqual({ overall: 0.5, dimensions: ratings(3, { relational: null }) });
  expect(meanJudged([failed, failed])).toBe(failed);
  expect(meanJudged([])).toMatchObject({ overall: null, unscored: "not judged" });
});
