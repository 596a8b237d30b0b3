import { WithStartWorkflowOperation, WorkflowNotFoundError, WorkflowUpdateFailedError } from "@temporalio/client";
import type { WorkflowHandle } from "@temporalio/client";
import { afterAll, beforeAll, expect, test } from "vitest";
import type { ExperimentInput, ExperimentResult } from "../../contract/experiment.ts";
import { messages } from "../../contract/messages.ts";
import { client, onStage, progressOf, setUp, tearDown, until } from "./harness.ts";
import { done } from "./stubs.ts";
import type { World } from "./stubs.ts";

beforeAll(setUp);
afterAll(tearDown);

type Run = (input: ExperimentInput) => Promise<ExperimentResult>;

const onlyTexts = { until: "converse" } as const;
const pause = (ms: number) => new Promise((resolve) => setTimeout(resolve, ms));
const conversed = ({ events }: World) => events.filter((event) => event.startsWith("unit converse"));

/** What the history says of updates: a completion each, however often one was sent. */
async function completedUpdates({ workflowId }: Pick<WorkflowHandle, "workflowId">): Promise<number> {
  const { events } = await client().workflow.getHandle(workflowId).fetchHistory();
  return (events ?? []).filter(({ workflowExecutionUpdateCompletedEventAttributes: done }) => done != null).length;
}

test.concurrent("orders before any worker is up are obeyed first: a run that is paused at its start starts nothing", async () => {
  await onStage(
    { conversations: 3 },
    async ({ world, start, bringWorkers }) => {
      const handle = await start();
      // Sent twice under one id: one order.
      const orders = ["early", "early"].map((updateId) => handle.executeUpdate<void, []>(messages.pause, { updateId }));
      await pause(500);
      await bringWorkers();
      await Promise.all(orders);
      expect(await completedUpdates(handle)).toBe(1);
      await pause(1500);
      expect((await progressOf(handle)).state).toBe("paused");
      expect(world.events).toEqual([]);
      await handle.executeUpdate(messages.resume);
      expect(await handle.result()).toMatchObject({ outcome: "stopped-after-stage" });
      expect(conversed(world)).toHaveLength(6);
    },
    { ...onlyTexts, workersLater: true },
  );
});

test.concurrent("an order that starts the run is one of its own", async () => {
  await onStage(
    { conversations: 3 },
    async ({ world, input, workflowId, bringWorkers }) => {
      const startOperation = new WithStartWorkflowOperation<Run>("experiment", {
        workflowId,
        taskQueue: input.queues.control,
        args: [input],
        workflowIdConflictPolicy: "USE_EXISTING",
      });
      const order = client().workflow.executeUpdateWithStart<Run, void, []>(messages.pause, {
        startWorkflowOperation: startOperation,
      });
      await pause(300);
      await bringWorkers();
      await order;
      const handle = await startOperation.workflowHandle();
      await pause(1000);
      expect((await progressOf(handle)).state).toBe("paused");
      expect(world.events).toEqual([]);
      await handle.executeUpdate(messages.resume);
      await handle.result();
      expect(conversed(world)).toHaveLength(6);
    },
    { ...onlyTexts, workersLater: true },
  );
});

test.concurrent("reports of nobody's child, before the start and after, change nothing", async () => {
  await onStage(
    { conversations: 3, budget: { calls: 100, usd: null } },
    async ({ world, input, workflowId, bringWorkers }) => {
      const report = {
        from: "exp/of-another-run/converse/one",
        seq: 1,
        counts: { done: 99, dropped: {}, failed: {} },
        spend: { calls: 99, reread: 0, usd: 0 },
        open: 0,
        allScheduled: true,
        draw: { calls: 99, usd: null },
        hold: { reason: "quota", message: "not ours", remedy: "none" },
      };
      const handle = await client().workflow.signalWithStart<Run, [typeof report]>("experiment", {
        workflowId,
        taskQueue: input.queues.control,
        args: [input],
        signal: messages.report,
        signalArgs: [report],
      });
      await bringWorkers();
      await handle.signal(messages.report, report);
      await handle.result();
      expect(conversed(world)).toHaveLength(6);
      expect((await progressOf(handle)).spend.calls).toBe(6);
    },
    { ...onlyTexts, workersLater: true },
  );
});

test.concurrent(
  "the same order twice is one, also when another came between: its answer is given again, nothing is done",
  async () => {
    await onStage(
      { contexts: ["one"], conversations: 60, window: 1 },
      async ({ world, start }) => {
        world.unit = async () => {
          await pause(50);
          return done;
        };
        const handle = await start();
        await until(() => world.events.length > 2, "first conversations");
        const order = (name: string, updateId: string) => handle.executeUpdate<void, []>(name, { updateId });
        await order(messages.pause, "first");
        await order(messages.resume, "second");
        await Promise.all([order(messages.pause, "first"), order(messages.resume, "second"), order(messages.pause, "first")]);
        expect((await progressOf(handle)).state).toBe("running");
        expect(await completedUpdates(handle)).toBe(2);
        // An id belongs to its first order, whatever is asked under it later.
        await order(messages.pause, "second");
        expect((await progressOf(handle)).state).toBe("running");
        await handle.result();
        expect(conversed(world)).toHaveLength(60);
      },
      onlyTexts,
    );
  },
);

test.concurrent("orders to a closed run are refused in words; one that it had obeyed is answered as before", async () => {
  await onStage(
    { contexts: ["one"], conversations: 1 },
    async ({ start, world }) => {
      world.unit = async () => {
        await pause(500);
        return done;
      };
      const handle = await start();
      await handle.executeUpdate<void, []>(messages.pause, { updateId: "obeyed" });
      await handle.executeUpdate<void, []>(messages.resume, { updateId: "last" });
      await handle.result();
      for (const name of [messages.pause, messages.resume])
        await expect(handle.executeUpdate(name)).rejects.toSatisfy(
          (error) => error instanceof WorkflowNotFoundError && /already completed/.test(error.message),
        );
      await expect(handle.signal(messages.report, {})).rejects.toThrow(WorkflowNotFoundError);
      await handle.executeUpdate<void, []>(messages.pause, { updateId: "obeyed" });
    },
    onlyTexts,
  );
});

test.concurrent("an order that makes no sense is refused and leaves the run as it was", async () => {
  await onStage(
    { contexts: ["one"], conversations: 4, budget: { calls: 50, usd: null } },
    async ({ world, start }) => {
      let release = (): void => undefined;
      const asked = new Promise<void>((resolve) => (release = resolve));
      world.unit = async () => {
        await asked;
        return done;
      };
      const handle: WorkflowHandle = await start();
      const refused = async (name: string, ...given: [] | [unknown]) => {
        const order =
          given.length === 0 ? handle.executeUpdate(name) : handle.executeUpdate<void, [unknown]>(name, { args: given });
        await expect(order, `${name} ${JSON.stringify(given)}`).rejects.toThrow(WorkflowUpdateFailedError);
      };
      for (const wrong of [{}, { window: "3" }, { window: 401 }, { window: 1.5 }, { window: null }]) {
        await refused(messages.setWidth, wrong);
      }
      await refused(messages.setWidth);
      for (const wrong of [
        {},
        { calls: 49, usd: null },
        { calls: "a", usd: null },
        { calls: 60, usd: 5 },
        { calls: Number.NaN, usd: 1 },
      ])
        await refused(messages.raiseBudget, wrong);
      await refused(messages.raiseBudget);
      for (const wrong of [{}, { sampleLimit: 2 }, { sampleLimit: 21 }, { sampleLimit: "5" }])
        await refused(messages.retryUnits, wrong);
      await refused("approve");
      release();
      await handle.result();
      expect(conversed(world)).toHaveLength(4);
      expect(await completedUpdates(handle)).toBe(0);
    },
    onlyTexts,
  );
});
