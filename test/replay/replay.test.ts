import { readdirSync, readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { bundleWorkflowCode, DefaultLogger, Runtime, Worker } from "@temporalio/worker";
import type { WorkflowBundleWithSourceMap } from "@temporalio/worker";
import { beforeAll, expect, test } from "vitest";
import { historyFromJson } from "./history.ts";

const folder = fileURLToPath(new URL("./histories/", import.meta.url));
const files = readdirSync(folder).filter((file) => file.endsWith(".json"));

let workflowBundle: WorkflowBundleWithSourceMap;
beforeAll(async () => {
  Runtime.install({ logger: new DefaultLogger("ERROR") });
  workflowBundle = await bundleWorkflowCode({
    workflowsPath: fileURLToPath(new URL("../../workflows/index.ts", import.meta.url)),
    logger: new DefaultLogger("ERROR"),
  });
});

test("there are histories of every workflow, and of runs that were cancelled, failed and held", () => {
  for (const kind of ["batch", "evaluation", "experiment", "nightly", "shard"])
    expect(files.some((file) => file.includes(kind))).toBe(true);
  for (const kind of ["cancelled", "failed", "held"]) expect(files.some((file) => file.includes(kind))).toBe(true);
});

test.each(files)("replays %s", async (file) => {
  const { workflowId, history } = historyFromJson(readFileSync(`${folder}${file}`, "utf8"));
  await Worker.runReplayHistory({ workflowBundle }, history, workflowId);
});
