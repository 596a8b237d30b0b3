import { expect, test } from "vitest";
import { pieceKeys } from "../../../contract/places.ts";
import { piecesFrom } from "../../../cli/server/pieces.ts";
import type { ExperimentPlan } from "../../../contract/experiment.ts";

const plan = { contexts: ["distress", "writing"], backbones: ["small"] } as unknown as ExperimentPlan;

test("a piece takes down what is made from it, and nothing beside it", () => {
  expect(piecesFrom(plan, "align/small/distress")).toEqual(["align/small/distress", "evaluate/small", "report"]);
  expect(piecesFrom(plan, "report")).toEqual(["report"]);
  expect(piecesFrom(plan, "reward/evaluator")).toEqual(["reward/evaluator", "evaluate/small", "report"]);
  expect(piecesFrom(plan, "converse/writing")).toEqual([
    "converse/writing",
    "steer/writing",
    "reward/preference-writing",
    "align/small/writing",
    "evaluate/small",
    "report",
  ]);
  expect(piecesFrom(plan, "steer")).not.toContain("reward/guide");
});

test("measure takes down all but the generic reward models", () => {
  const kept = pieceKeys(plan).filter((key) => !piecesFrom(plan, "measure").includes(key));
  expect(kept).toEqual(["reward/guide", "reward/evaluator"]);
});

test("an unknown piece is refused with those there are", () => {
  expect(() => piecesFrom(plan, "align/small/career")).toThrow(/no such piece.*align\/small\/distress/);
});
