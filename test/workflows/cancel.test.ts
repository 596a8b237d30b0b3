import { setTimeout as pause } from "node:timers/promises";
import { ApplicationFailure } from "@temporalio/activity";
import { type WorkflowHandle, WorkflowFailedError } from "@temporalio/client";
import { afterAll, beforeAll, expect, test } from "vitest";
import { failures } from "../../contract/failures.ts";
import type { JobEnd } from "../../contract/jobs.ts";
import { errorReply } from "../support/chat-server.ts";
import { client, onStage, setUp, tearDown, until } from "./harness.ts";
import { conversing } from "./real-conversations.ts";
import { failure, untilCancelled } from "./stubs.ts";

beforeAll(setUp);
afterAll(tearDown);

const oneContext = { contexts: ["one"], conversations: 1 } as const;
const killed: JobEnd = { job: "j", cause: "killed", exitCode: null, signal: "SIGKILL", tail: "" };

/** Workflows of a run by id. */
async function ofRun(workflowId: string) {
  const found: Record<string, Awaited<ReturnType<WorkflowHandle["describe"]>>> = {};
  for await (const { workflowId: id } of client().workflow.list({ query: `WorkflowId STARTS_WITH '${workflowId}'` }))
    found[id] = await client().workflow.getHandle(id).describe();
  return found;
}

/** Activities of a run that wait at the server for their next try. */
async function waitingTries(workflowId: string): Promise<number> {
  /** `PENDING_ACTIVITY_STATE_SCHEDULED` */
  const scheduled = 1;
  const pending = Object.values(await ofRun(workflowId)).flatMap(({ raw }) => raw.pendingActivities ?? []);
  return pending.filter(({ state, attempt }) => Number(state) === scheduled && (attempt ?? 1) > 1).length;
}

/** Ends of the run and of all that it started, by workflow id. The list that they are found by lags behind. */
async function endsOf(handle: WorkflowHandle): Promise<Readonly<Record<string, string>>> {
  await expect(handle.result()).rejects.toThrow(WorkflowFailedError);
  const all = await until(async () => {
    const found = await ofRun(handle.workflowId);
    return handle.workflowId in found && found;
  }, "the run in the list");
  return Object.fromEntries(Object.entries(all).map(([id, { status }]) => [id, status.name]));
}

test.each([
  [
    "in its worker, for a provider that names a time",
    errorReply(429, "rate_limit_exceeded", { "retry-after": "600" }),
    { atServer: 0, outcome: "limited" },
  ],
  [
    "at the server, for a provider that is down",
    errorReply(503, "server_error", { "retry-after": "600" }),
    { atServer: 3, outcome: "outage" },
  ],
] as const)(
  "cancelled while each open conversation waits %s: all end at once, and nothing more is asked",
  async (_, refusal, { atServer, outcome }) => {
    await conversing(
      { contexts: ["distress"], conversations: 6, window: 3 },
      () => refusal,
      async ({ start, provider, workflowId }) => {
        const handle = await start();
        await until(() => provider.log.length === 3, "refused calls");
        await until(async () => (await waitingTries(workflowId)) === atServer, "the waits");
        await Promise.all([handle.cancel(), handle.cancel()]);
        const since = Date.now();
        expect(await endsOf(handle)).toEqual({
          [workflowId]: "CANCELLED",
          [`${workflowId}/converse/distress`]: "CANCELLED",
          [`${workflowId}/converse/distress/0`]: "CANCELLED",
        });
        // A conversation hears of it with its next heartbeat.
        expect(Date.now() - since).toBeLessThan(20_000);
        await pause(2000);
        expect([provider.log.length, provider.recorded(), provider.outcomes()]).toEqual([3, [], [outcome]]);
      },
    );
  },
);

test.concurrent(
  "cancelled while a killed job waits for its next start: it is stopped at once and not started again",
  async () => {
    await onStage({ ...oneContext, jobRestarts: 9 }, async ({ world, start }) => {
      const starts = () => world.events.filter((event) => event.startsWith("job align")).length;
      world.job = async ({ job }) => {
        if (job.includes("align")) throw failure("JobLost", killed);
      };
      const handle = await start();
      // The waits are one, two, four and eight seconds long.
      await until(() => starts() === 4, "starts");
      await pause(1000);
      const since = Date.now();
      await Promise.all([handle.cancel(), handle.cancel()]);
      const ends = Object.values(await endsOf(handle));
      expect(Date.now() - since).toBeLessThan(5000);
      expect(ends).not.toContain("RUNNING");
      expect((await handle.describe()).status.name).toBe("CANCELLED");
      expect([starts(), world.stopped.filter((job) => job === "align.small.one").length]).toEqual([4, 1]);
    });
  },
);

test.concurrent("cancelled while a job waits for a busy device: it is stopped at once and not tried again", async () => {
  await onStage(oneContext, async ({ world, start, workflowId }) => {
    const tries = () => world.events.filter((event) => event.startsWith("job align")).length;
    world.job = async ({ job }) => {
      if (job.includes("align")) throw ApplicationFailure.create({ type: failures.deviceBusy, nextRetryDelay: "1 second" });
    };
    const handle = await start();
    await until(async () => tries() >= 2 && (await waitingTries(workflowId)) === 1, "a wait for the device");
    await Promise.all([handle.cancel(), handle.cancel()]);
    expect(Object.values(await endsOf(handle))).not.toContain("RUNNING");
    expect((await handle.describe()).status.name).toBe("CANCELLED");
    const before = tries();
    await pause(2500);
    expect([tries(), world.stopped.filter((job) => job === "align.small.one").length]).toEqual([before, 1]);
  });
});

test.concurrent("cancelled again while a first cancel is under way: open conversations still say how they ended", async () => {
  await onStage({ ...oneContext, conversations: 3 }, async ({ world, start }) => {
    let written = 0;
    world.unit = async () => {
      try {
        return await untilCancelled();
      } finally {
        await pause(2000);
        written += 1;
      }
    };
    const handle = await start();
    await until(() => world.open === 3, "open conversations");
    await handle.cancel();
    await pause(1000);
    await handle.cancel();
    expect(Object.values(await endsOf(handle))).not.toContain("RUNNING");
    expect((await handle.describe()).status.name).toBe("CANCELLED");
    expect([written, world.open]).toEqual([3, 0]);
  });
});

test.concurrent("cancelled again while a first cancel is under way: its job is stopped all the same", async () => {
  let stopping = false;
  await onStage(
    oneContext,
    async ({ world, start }) => {
      world.job = async ({ job }) => {
        if (job.includes("align")) await untilCancelled();
      };
      const handle = await start();
      await until(() => world.events.some((event) => event.startsWith("job align")), "a job");
      await handle.cancel();
      await until(() => stopping, "the stop");
      await handle.cancel();
      expect(world.stopped).not.toContain("align.small.one");
      expect(Object.values(await endsOf(handle))).not.toContain("RUNNING");
      expect((await handle.describe()).status.name).toBe("CANCELLED");
      expect(world.stopped.filter((job) => job === "align.small.one")).toHaveLength(1);
    },
    {
      bend: ({ stop }) => {
        const { stopJob } = stop;
        stop.stopJob = async (input) => {
          stopping = input.job.includes("align");
          await pause(stopping ? 2000 : 0);
          return stopJob(input);
        };
      },
    },
  );
});
