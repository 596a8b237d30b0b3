import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { type Candidate, pairDrop, type PairRules } from "../../../domain/pairs.ts";

const rules: PairRules = { target: 0.75, judgeMargin: 0.15, guideMargin: 0.1, maxLengthRatio: 2, useGuide: true };
const reply = (judge: number | null, guide: number | null, text = "Some reply of a usual length.", finishReason = "stop"): Candidate => ({ text, finishReason, judge, guide });

describe("pairDrop", () => {
  test.each([
    ["kept", reply(0.8, 0.7), reply(0.2, 0.3), null],
    ["judge missing", reply(null, 0.7), reply(0.2, 0.3), "unscored"],
    ["guide missing", reply(0.8, null), reply(0.2, 0.3), "unscored"],
    ["empty", reply(0.8, 0.7, " "), reply(0.2, 0.3), "incoherent"],
    ["cut", reply(0.8, 0.7, "x".repeat(30), "length"), reply(0.2, 0.3), "incoherent"],
    ["too long", reply(0.8, 0.7, "x".repeat(100)), reply(0.2, 0.3), "length-ratio"],
    ["judge orders the other way", reply(0.2, 0.7), reply(0.8, 0.3), "judge-order"],
    ["judge hardly separates", reply(0.75, 0.7), reply(0.65, 0.3), "judge-margin"],
    ["guide orders the other way", reply(0.8, 0.2), reply(0.2, 0.7), "guide-order"],
    ["guide hardly separates", reply(0.8, 0.75), reply(0.2, 0.7), "guide-margin"],
  ])("%s", (_, chosen, rejected, drop) => {
    expect(pairDrop(chosen, rejected, rules)).toBe(drop);
  });

  test("the judge alone needs no guide", () => {
    expect(pairDrop(reply(0.8, null), reply(0.2, null), { ...rules, useGuide: false })).toBeNull();
  });

  test("over-warm loses where the target is low", () => {
    expect(pairDrop(reply(0.3, 0.3), reply(0.95, 0.9), { ...rules, target: 0.27 })).toBeNull();
  });

  test("never keeps both orders of two replies", () => {
    const level = fc.double({ min: 0, max: 1, noNaN: true });
    fc.assert(
      fc.property(level, level, level, level, level, (a, b, c, d, target) => {
        const [x, y] = [reply(a, b), reply(c, d)];
        return pairDrop(x, y, { ...rules, target }) !== null || pairDrop(y, x, { ...rules, target }) !== null;
      }),
    );
  });
});
