import { readFileSync } from "node:fs";
import { describe, expect, test } from "vitest";
import { readHumanData, toRating } from "../../../configs/schema/human-rows.ts";

const row = { participant: "p1", model: "m", task: "t", context: "distress", desiredEmpathy: 3 };
const lines = (...rows: unknown[]) => rows.map((r) => (typeof r === "string" ? r : JSON.stringify(r))).join("\n");

describe("human data", () => {
  test("problems name line and field", () => {
    const { rows, problems } = readHumanData(
      lines(row, "{broken", { ...row, task: "u", desiredEmpathy: 4 }, { ...row, task: "v", mood: 1 }, row),
    );
    expect(rows).toHaveLength(1);
    expect(problems.map(({ line, field }) => [line, field])).toEqual([
      [2, ""],
      [3, "desiredEmpathy"],
      [4, ""],
      [5, "task"],
    ]);
  });

  test("a rating that is not there is missing, never 0", () => {
    const [only] = readHumanData(lines(row)).rows;
    expect(toRating(only!)).toMatchObject({ experienced: null, satisfied: null });
  });

  test("the shipped sample reads without a problem and says that it is made up", () => {
    const { rows, problems } = readHumanData(readFileSync("configs/data/illustrative.jsonl", "utf8"));
    expect(problems).toEqual([]);
    expect(rows.length).toBeGreaterThan(50);
    expect(rows.every((r) => r.illustrative === true)).toBe(true);
  });
});
