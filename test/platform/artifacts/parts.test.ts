import { randomUUID } from "node:crypto";
import { mkdirSync, readdirSync, utimesSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { expect, it } from "vitest";
import { localArtifacts } from "../../../platform/artifacts/local.ts";
import { tempFolder } from "../../support/temp-folder.ts";

it("what a writer that was killed left half-written is removed after a day, and nobody's who still writes", async () => {
  const root = tempFolder();
  const folder = join(root, "runs", "a");
  mkdirSync(folder, { recursive: true });
  const [killed, writes] = [`${randomUUID()}.part`, `${randomUUID()}.part`];
  for (const name of [killed, writes, "body.part", "old.jsonl"]) writeFileSync(join(folder, name), "half");
  const before = Date.now() / 1000 - 25 * 3600;
  for (const name of [killed, "body.part", "old.jsonl"]) utimesSync(join(folder, name), before, before);
  await localArtifacts(root).putLines("runs/a/rows.jsonl", [1]);
  expect(readdirSync(folder).toSorted()).toEqual([writes, "body.part", "old.jsonl", "rows.jsonl"].toSorted());
});
