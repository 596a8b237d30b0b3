import { mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";
import { dropStageRecord, findStageRecord, writeStageRecord } from "../../../activities/stages/records.ts";
import { putFolder } from "../../../platform/artifacts/folder.ts";
import { play, run, stageBench } from "../../support/stage-bench.ts";
import { tempFolder } from "../../support/temp-folder.ts";

async function recordsBench() {
  const { deps } = await stageBench({ script: play({}) });
  const write = async (text: string) =>
    writeStageRecord(deps, run, {
      key: "report",
      stage: "report",
      outputs: { page: await deps.artifacts.put(`runs/bench/${text}.txt`, text) },
      counts: { n: 1 },
      facts: { text },
    });
  return { deps, write };
}

test("the first record of a whole piece stands", async () => {
  const { deps, write } = await recordsBench();
  expect(await findStageRecord(deps, run, "report")).toBeNull();
  const first = await write("one");
  expect(await write("two")).toEqual(first);
  expect(await findStageRecord(deps, run, "report")).toEqual(first);
  expect(await findStageRecord(deps, { ...run, epoch: "2026-01-02" }, "report")).toBeNull();
});

test("two writers at once agree on one record", async () => {
  const { write } = await recordsBench();
  const [one, other] = await Promise.all([write("one"), write("two")]);
  expect(one).toEqual(other);
});

test("a record whose output was lost counts for nothing and is replaced", async () => {
  const { deps, write } = await recordsBench();
  const first = await write("one");
  await deps.artifacts.remove(first.outputs["page"]?.uri ?? "");
  expect(await findStageRecord(deps, run, "report")).toBeNull();
  expect((await write("two")).facts).toEqual({ text: "two" });
});

test("a folder is whole when each of its files is", async () => {
  const { deps } = await recordsBench();
  const folder = join(tempFolder(), "model");
  mkdirSync(folder);
  writeFileSync(join(folder, "weights.safetensors"), "weights");
  const index = await putFolder(deps.artifacts, "runs/bench/model", folder);
  const made = { key: "reward/guide", stage: "reward", outputs: { model: index }, counts: {}, facts: {} } as const;
  await writeStageRecord(deps, run, made);
  expect(await findStageRecord(deps, run, "reward/guide")).not.toBeNull();
  await deps.artifacts.remove("runs/bench/model/weights.safetensors");
  expect(await findStageRecord(deps, run, "reward/guide")).toBeNull();
});

test("a dropped record leaves its files", async () => {
  const { deps, write } = await recordsBench();
  const ref = (await write("one")).outputs["page"];
  await dropStageRecord(deps, run, "report");
  expect(await findStageRecord(deps, run, "report")).toBeNull();
  expect(ref !== undefined && (await deps.artifacts.verify(ref))).toBe(true);
});
