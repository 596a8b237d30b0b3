import fc from "fast-check";
import { expect, test } from "vitest";
import { type Candidate, overWarmLimit, pairDrop, type PairRules } from "../../../domain/pairs.ts";

const rules: PairRules = { target: 0.5, judgeMargin: 0.15, guideMargin: 0.1, maxLengthRatio: 2, useGuide: true };
const reply = (changes: Partial<Candidate> = {}): Candidate => ({
  text: "ten letters",
  finishReason: "stop",
  judge: 0.5,
  guide: 0.5,
  ...changes,
});
const counter = (changes: Partial<Candidate> = {}) => reply({ judge: 0.1, guide: 0.2, ...changes });

test.each([
  ["kept", reply(), counter(), null],
  ["over-warm is farther too", reply(), counter({ judge: 0.95, guide: 0.9 }), null],
  ["no judge's score", reply({ judge: null }), counter(), "unscored"],
  ["no guide's score", reply(), counter({ guide: null }), "unscored"],
  ["a cut reply", reply({ finishReason: "length" }), counter(), "incoherent"],
  ["an empty reply", reply(), counter({ text: " " }), "incoherent"],
  ["three times as long", reply({ text: "x".repeat(34) }), counter(), "length-ratio"],
  ["the judge finds the counter nearer", reply({ judge: 0.9 }), counter({ judge: 0.4 }), "judge-order"],
  ["the judge hardly tells them apart", reply(), counter({ judge: 0.4 }), "judge-margin"],
  ["the guide finds the counter nearer", reply({ guide: 0.9 }), counter({ guide: 0.5 }), "guide-order"],
  ["the guide hardly tells them apart", reply(), counter({ guide: 0.45 }), "guide-margin"],
])("%s", (_, chosen, rejected, drop) => {
  expect(pairDrop(chosen, rejected, rules)).toBe(drop);
});

test("the judge alone needs no guide", () => {
  expect(pairDrop(reply({ guide: null }), counter({ guide: null }), { ...rules, useGuide: false })).toBeNull();
});

test("a pair is never kept both ways round", () => {
  const level = fc.double({ min: 0, max: 1, noNaN: true });
  fc.assert(
    fc.property(level, level, level, level, level, (target, a, b, c, d) => {
      const [one, other] = [reply({ judge: a, guide: b }), reply({ judge: c, guide: d })];
      const at = { ...rules, target };
      expect(pairDrop(one, other, at) === null && pairDrop(other, one, at) === null).toBe(false);
    }),
  );
});

test.each([
  ["as many as cold ones at a share of a half", 20, 0.5, 8, 20],
  ["a fifth of all", 20, 0.2, 8, 5],
  ["few cold ones: as many as make up the least", 2, 0.5, 8, 6],
  ["none wanted", 20, 0, 8, 0],
  ["no limit", 2, 1, 8, Infinity],
])("over-warm rejects: %s", (_, cold, share, least, limit) => {
  expect(overWarmLimit(cold, share, least)).toBe(limit);
});
