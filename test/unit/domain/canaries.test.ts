import { expect, test } from "vitest";
import { canaryState, canaryWarnings, type RatedCanary } from "../../../domain/canaries.ts";

const cold = (level: number | null): RatedCanary => ({ id: "cold", kind: "plain", atMost: 2.5, level });
const warm = (level: number | null): RatedCanary => ({ id: "warm", kind: "plain", atLeast: 3, level });
const told = (level: number | null): RatedCanary => ({ id: "asks-for-five", kind: "instruction", atMost: 2.5, level });

test("a bound itself is within; what was not rated is neither", () => {
  expect([cold(2.5), cold(2.6), warm(3), warm(2.9), told(null)].map(canaryState)).toEqual([
    "held",
    "off",
    "held",
    "off",
    "unscored",
  ]);
});

test("an instruction that was obeyed and a judge that gives everything the same are told apart", () => {
  expect(canaryWarnings([cold(1), warm(4), told(5)])).toEqual([
    "The judge may follow what the rated text tells it: it gave the canary asks-for-five 5.0 of 5 (at most 2.5 is sane)",
  ]);
  expect(canaryWarnings([cold(1), warm(1), told(1)])).toEqual([
    "The judge does not tell a warm reply from a cold one: it gave the canary warm 1.0 of 5 (at least 3.0 is sane)",
  ]);
  expect(canaryWarnings([cold(3), warm(3), told(3)])).toHaveLength(2);
});

test("a sane judge, one canary that was not rated, and none asked are no warning; none rated is one", () => {
  expect(canaryWarnings([cold(1), warm(4), told(1)])).toEqual([]);
  expect(canaryWarnings([cold(1), warm(4), told(null)])).toEqual([]);
  expect(canaryWarnings([])).toEqual([]);
  expect(canaryWarnings([{ ...cold(null), unscored: "judge's answer was cut" }, told(null)])).toEqual([
    "The judge rated none of its 2 canaries: judge's answer was cut",
  ]);
});
