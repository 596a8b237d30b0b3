import { WorkflowFailedError } from "@temporalio/client";
import { afterAll, beforeAll, expect, test } from "vitest";
import type { JobEnd } from "../../contract/jobs.ts";
import { onStage, setUp, tearDown } from "./harness.ts";
import { failure, untilCancelled } from "./stubs.ts";

beforeAll(setUp);
afterAll(tearDown);

const end = (cause: JobEnd["cause"]): JobEnd => ({ job: "j", cause, exitCode: null, signal: "SIGKILL", tail: "" });
const oneContext = { contexts: ["one"], conversations: 1 } as const;

test.concurrent("a job whose node takes nothing is claimed again under a higher fence, and stopped on both nodes", async () => {
  await onStage(
    { ...oneContext, nodeLostSeconds: 2 },
    async ({ world, start }) => {
      await (await start()).result();
      expect(world.events).toContain("job reward.guide fence 2");
      expect(world.events).not.toContain("job reward.guide fence 1");
      expect(world.stopped.filter((job) => job === "reward.guide")).toHaveLength(2);
    },
    // Node n1, which is claimed first, has no worker.
    { until: "steer", nodes: ["n2"] },
  );
});

test.concurrent("a killed job is started again within its limit, a failed one is not", async () => {
  await onStage(oneContext, async ({ world, start }) => {
    let kills = 0;
    world.job = async ({ job }) => {
      if (job.includes("align") && kills < 2) {
        kills += 1;
        throw failure("JobLost", end("killed"));
      }
    };
    await (await start()).result();
    expect(world.events.filter((event) => event.startsWith("job align"))).toHaveLength(3);
  });
  await onStage(oneContext, async ({ world, start }) => {
    world.job = async ({ job }) => {
      if (job.includes("align")) throw failure("JobFailed", end("bad-data"));
    };
    const error = await (await start()).result().catch((thrown: unknown) => thrown);
    expect((error as WorkflowFailedError).cause?.message).toMatch(/align\/small\/one: stub: JobFailed/);
    expect(world.events.filter((event) => event.startsWith("job align"))).toHaveLength(1);
    expect(world.stopped).toContain("align.small.one");
  });
});

test.concurrent("a job that is killed over and over fails the run", async () => {
  await onStage({ ...oneContext, jobRestarts: 1 }, async ({ world, start }) => {
    world.job = async ({ job }) => {
      if (job.includes("align")) throw failure("JobLost", end("killed"));
    };
    await expect((await start()).result()).rejects.toThrow(WorkflowFailedError);
    expect(world.events.filter((event) => event.startsWith("job align"))).toHaveLength(2);
  });
});

test.concurrent("a server that can't be brought up ends the roll-outs and the run", async () => {
  await onStage(
    oneContext,
    async ({ world, start }) => {
      const error = await (await start()).result().catch((thrown: unknown) => thrown);
      expect((error as WorkflowFailedError).cause?.message).toMatch(/evaluate\/small: stub: JobFailed/);
      expect(world.stopped).toContain("eval.small.serve");
      expect(world.events).not.toContain("job eval.small.score fence 1");
    },
    {
      bend: (made) => {
        made.node.keepServing = async () => {
          throw failure("JobFailed", end("start-failed"));
        };
        made.units.awaitServing = untilCancelled;
      },
    },
  );
});
