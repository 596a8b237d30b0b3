import { existsSync, mkdirSync, writeFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import type { NightlyInput } from "../../contract/experiment.ts";
import { client, heldFor, nightWith, onStage, setUp, tearDown, until } from "../workflows/harness.ts";
import { done, failure, untilCancelled } from "../workflows/stubs.ts";
import { historyToJson } from "./history.ts";

const projectRoot = fileURLToPath(new URL("../../", import.meta.url));

/**
 * `node test/replay/record.ts <version>`: records runs of the workflows as they are now, under `histories/<version>-…json`. Histories are only ever
 * added: what replays today must replay for as long as runs of that version may be open.
 */
const version = process.argv[2];
if (version === undefined || !/^[0-9a-z.-]+$/.test(version)) throw new Error("Give a version to record under, such as 0.1.0");

const folder = fileURLToPath(new URL("./histories/", import.meta.url));
mkdirSync(folder, { recursive: true });

async function save(name: string, workflowId: string): Promise<void> {
  const file = `${folder}${version}-${name}.json`;
  if (existsSync(file)) throw new Error(`${file} is there already; histories are never changed. Record under another version.`);
  const history = historyToJson(workflowId, await client().workflow.getHandle(workflowId).fetchHistory());
  // Stack traces hold where the checkout lies, which is nobody's business.
  writeFileSync(file, history.replaceAll(projectRoot, "/attune/"));
  process.stdout.write(`${file}\n`);
}

await setUp();
try {
  await onStage({}, async ({ start, workflowId }) => {
    await (await start()).result();
    await save("experiment", workflowId);
    await save("batch", `${workflowId}/converse/one`);
    await save("shard", `${workflowId}/converse/one/0`);
    await save("evaluation", `${workflowId}/eval/small`);
  });

  await onStage({ conversations: 10, window: 2 }, async ({ world, start, workflowId }) => {
    world.unit = async () => untilCancelled();
    const handle = await start();
    await until(() => world.open >= 4, "open conversations");
    await handle.cancel();
    await handle.result().catch(() => undefined);
    await save("experiment-cancelled", workflowId);
    await save("shard-cancelled", `${workflowId}/converse/one/0`);
  });

  await onStage({}, async ({ world, start, workflowId }) => {
    world.job = async ({ job }) => {
      if (job.includes("align")) throw failure("JobFailed", { job, cause: "bad-data", exitCode: 65, signal: null, tail: "" });
    };
    await (await start()).result().catch(() => undefined);
    await save("experiment-failed", workflowId);
  });

  await onStage(
    { conversations: 10, window: 2, budget: { calls: 12, usd: null } },
    async ({ world, start, workflowId }) => {
      let mended = false;
      world.unit = async ({ group, unit }) => {
        if (group.context === "one" && unit === 3 && !mended)
          throw failure("Held", { reason: "quota", message: "out of credit", remedy: "top it up" });
        return done;
      };
      const handle = await start();
      await heldFor(handle, "quota");
      mended = true;
      await handle.executeUpdate("resume");
      await heldFor(handle, "budget");
      await handle.executeUpdate("raiseBudget", { args: [{ calls: 100, usd: null }] });
      await handle.result();
      await save("experiment-held", workflowId);
      await save("batch-held", `${workflowId}/converse/one`);
      await save("shard-held", `${workflowId}/converse/one/0`);
    },
    { until: "converse" },
  );

  await onStage(
    { contexts: ["one"], nodeLostSeconds: 2 },
    async ({ start, workflowId }) => {
      await (await start()).result();
      await save("experiment-node-lost", workflowId);
    },
    { until: "steer", nodes: ["n2"] },
  );

  await onStage(
    {},
    async ({ input }) => {
      const workflowId = `nightly-${input.run.name}`;
      const args: [NightlyInput] = [{ experiment: input.run.name, queues: input.queues }];
      await client().workflow.execute("nightly", { workflowId, taskQueue: input.queues.control, args });
      await save("nightly", workflowId);
    },
    {
      bend: (made) => {
        made.control.openNight = async (wanted) => nightWith(wanted);
      },
    },
  );
} finally {
  await tearDown();
}
