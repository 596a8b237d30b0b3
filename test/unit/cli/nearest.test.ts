import fc from "fast-check";
import { expect, test } from "vitest";
import { editDistance, nearest } from "../../../cli/config/nearest.ts";

test("the nearest key is offered, a far one is not", () => {
  expect(nearest("turnz", ["turns", "maxTokens"])).toBe("turns");
  expect(nearest("lora_rank", ["lora_r", "lora_alpha", "loss"])).toBe("lora_r");
  expect(nearest("learningrate", ["learning_rate", "loss"])).toBe("learning_rate");
  expect(nearest("zzzzzz", ["turns", "loss"])).toBeUndefined();
  expect(nearest("x", [])).toBeUndefined();
});

test("edit distance is a metric", () => {
  const word = fc.string({ maxLength: 8 });
  fc.assert(
    fc.property(word, word, word, (a, b, c) => {
      expect(editDistance(a, a)).toBe(0);
      expect(editDistance(a, b)).toBe(editDistance(b, a));
      expect(editDistance(a, c)).toBeLessThanOrEqual(editDistance(a, b) + editDistance(b, c));
      expect(editDistance(a, b)).toBeLessThanOrEqual(Math.max(a.length, b.length));
    }),
  );
});
