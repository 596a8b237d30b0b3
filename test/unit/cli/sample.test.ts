import { expect, test } from "vitest";
import { sample } from "../../../cli/data/sample.ts";

async function* numbers(count: number) {
  for (let i = 0; i < count; i += 1) yield i;
}

test("all are drawn where fewer are there than asked for", async () => {
  expect(await sample(numbers(2), 5, 1)).toEqual([0, 1]);
  expect(await sample(numbers(0), 5, 1)).toEqual([]);
});

test("each item has the same chance", async () => {
  const drawn = Array.from({ length: 10 }, () => 0);
  for (let seed = 0; seed < 3000; seed += 1) for (const item of await sample(numbers(10), 3, seed)) drawn[item]! += 1;
  // 900 expected, standard deviation 25.
  expect(Math.min(...drawn)).toBeGreaterThan(790);
  expect(Math.max(...drawn)).toBeLessThan(1010);
});
