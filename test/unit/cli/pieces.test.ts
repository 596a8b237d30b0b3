import { expect, test } from "vitest";
import { pieceKeys } from "../../../contract/places.ts";
import { piecesFrom, readPieces } from "../../../cli/server/pieces.ts";
import type { Stores } from "../../../cli/project.ts";
import { sqliteRecords } from "../../../platform/records/sqlite.ts";
import { tempFolder } from "../../support/temp-folder.ts";
import { join } from "node:path";
import { stageRecordKey } from "../../../contract/places.ts";
import type { ExperimentPlan } from "../../../contract/experiment.ts";

const plan = { contexts: ["distress", "writing"], backbones: ["small"], guided: true } as unknown as ExperimentPlan;

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

test("a run that the judge alone guides has no guide to wait for", () => {
  expect(pieceKeys({ ...plan, guided: false })).not.toContain("reward/guide");
});

test("an evaluation older than an adapter of it is not there, and the report with it only by its own age", async () => {
  const records = sqliteRecords(join(tempFolder(), "records.db"));
  const run = {
    name: "r",
    digest: "ab".repeat(32),
    epoch: "",
    config: { uri: "c", sha256: "0".repeat(64), bytes: 1, rows: null },
  };
  const at = (key: string) => (key === "align/small/writing" ? "2026-01-02" : "2026-01-01");
  for (const key of pieceKeys(plan)) await records.put(stageRecordKey(run, key), { key, at: at(key), outputs: {} }, null);
  const pieces = await readPieces({ records } as unknown as Stores, run, plan, { verify: true });
  expect(pieces.filter(({ whole }) => !whole).map(({ key }) => key)).toEqual(["evaluate/small"]);
  records.close();
});
