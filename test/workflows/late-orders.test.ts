import { afterAll, beforeAll, expect, test } from "vitest";
import type { ControlActivities } from "../../contract/activities.ts";
import { client, nightWith, onStage, progressOf, setUp, tearDown, until } from "./harness.ts";
import { done } from "./stubs.ts";

beforeAll(setUp);
afterAll(tearDown);

const pause = (ms: number) => new Promise((resolve) => setTimeout(resolve, ms));

/** A promise and what fulfils it. */
function gate() {
  let open = (): void => undefined;
  const opened = new Promise<void>((resolve) => (open = resolve));
  return { opened, open };
}

/** Counts the conversations that are open at a time in an evaluation. */
function counter(ms: number) {
  let open = 0;
  let most = 0;
  return {
    most: () => most,
    open: () => open,
    run: async () => {
      open += 1;
      most = Math.max(most, open);
      await pause(ms);
      open -= 1;
      return done;
    },
  };
}

test("a signal that holds no report or order stops no run", async () => {
  await onStage(
    { contexts: ["one"], conversations: 4 },
    async ({ world, start, workflowId }) => {
      world.unit = async () => pause(600).then(() => done);
      const handle = await start();
      await handle.signal("report");
      await handle.signal("report", { from: 7 });
      await until(() => world.open > 0, "open conversations");
      for (const child of ["converse/one", "converse/one/0"])
        for (const name of ["control", "report"])
          await client()
            .workflow.getHandle(`${workflowId}/${child}`)
            .signal(name)
            .catch(() => undefined);
      expect(await Promise.race([handle.result().then(() => "ended"), pause(20_000).then(() => "stuck")])).toBe("ended");
    },
    { until: "converse" },
  );
});

test("a width that is set before an evaluation holds in it", async () => {
  const evaluation = { split: "test" as const, conversations: 12, arms: ["baseline" as const, "adapter" as const] };
  await onStage({ contexts: ["one", "two"], conversations: 2, evaluation }, async ({ world, start }) => {
    const rollOuts = counter(100);
    world.unit = async ({ group }) => (group.stage === "evaluate" ? rollOuts.run() : done);
    world.stage = async (key) => (key === "converse/one" ? pause(1500).then(() => undefined) : undefined);
    const handle = await start();
    await handle.executeUpdate("setWidth", { args: [{ window: 1 }] });
    await handle.result();
    // Two batches side by side, of one conversation each.
    expect(rollOuts.most()).toBeLessThanOrEqual(2);
  });
});

test("a width that is set in an evaluation opens no more than its server decodes side by side", async () => {
  const evaluation = { split: "test" as const, conversations: 40, arms: ["baseline" as const] };
  await onStage({ contexts: ["one", "two"], conversations: 2, evaluation }, async ({ world, start }) => {
    const rollOuts = counter(200);
    world.unit = async ({ group }) => (group.stage === "evaluate" ? rollOuts.run() : done);
    const handle = await start();
    await until(() => rollOuts.open() > 0, "roll-outs");
    await handle.executeUpdate("setWidth", { args: [{ window: 100 }] });
    await handle.result();
    expect(rollOuts.most()).toBeLessThanOrEqual(8);
  });
});

test("no job starts in a run that was paused while its node was claimed", async () => {
  const { opened, open } = gate();
  let asked = false;
  await onStage(
    { contexts: ["one"], conversations: 1 },
    async ({ world, start }) => {
      const handle = await start();
      await until(() => asked, "a claim");
      await handle.executeUpdate("pause");
      open();
      await pause(2000);
      const jobs = () => world.events.filter((event) => event.startsWith("job"));
      expect(jobs()).toEqual([]);
      await handle.executeUpdate("resume");
      await handle.result();
      expect(jobs()).not.toEqual([]);
    },
    {
      bend: ({ pool }) => {
        const { claimNode } = pool;
        pool.claimNode = async (input) => {
          asked = true;
          await opened;
          return claimNode(input);
        };
      },
    },
  );
});

test("a run that is paused while its report is made publishes nothing until it goes on", async () => {
  const { opened, open } = gate();
  let published = 0;
  await onStage(
    { contexts: ["one"], conversations: 1 },
    async ({ world, start }) => {
      let reporting = false;
      world.stage = async (key) => {
        if (key !== "report") return;
        reporting = true;
        await opened;
      };
      const handle = await start();
      await until(() => reporting, "the report");
      await handle.executeUpdate("pause");
      open();
      await pause(2000);
      expect(published).toBe(0);
      await handle.executeUpdate("resume");
      await handle.result();
      expect(published).toBe(1);
    },
    {
      bend: ({ control }) => {
        control.publish = async () => {
          published += 1;
          return { published: [], reference: "set" };
        };
      },
    },
  );
});

test("a budget that is no number is refused", async () => {
  await onStage(
    { contexts: ["one"], conversations: 2, budget: { calls: 50, usd: null } },
    async ({ world, start }) => {
      world.unit = async () => pause(1500).then(() => done);
      const handle = await start();
      for (const calls of ["100", -1])
        await expect(handle.executeUpdate("raiseBudget", { args: [{ calls, usd: null }] })).rejects.toThrow();
      await handle.result();
    },
    { until: "converse" },
  );
});

/** Two experts of one backbone; `open` and `judge` are called before a night is opened and judged. */
function nightOf({ control }: { control: ControlActivities }, open: () => Promise<void>, judge: () => void): void {
  control.openNight = async ({ experiment, night }) => {
    await open();
    return nightWith({ experiment, night });
  };
  control.judgeNight = async ({ night: { night } }) => {
    judge();
    return { verdict: "passed", night, details: null, regressed: [] };
  };
}

test("a night takes a pause before it knows what it evaluates, shows it, and opens no conversation until it goes on", async () => {
  const { opened, open } = gate();
  let opening = false;
  await onStage(
    {},
    async ({ world, input }) => {
      const args = [{ experiment: input.run.name, queues: input.queues }] as const;
      const workflowId = `night/${input.run.name}-2026-11-24T03:00:00Z`;
      const handle = await client().workflow.start("nightly", { workflowId, taskQueue: input.queues.control, args: [...args] });
      await until(() => opening, "its opening");
      await handle.executeUpdate("pause");
      expect((await progressOf(handle)).state).toBe("paused");
      await expect(handle.executeUpdate("setWidth", { args: [{ window: 3 }] })).rejects.toThrow();
      open();
      await pause(1500);
      expect((await progressOf(handle)).state).toBe("paused");
      expect(world.open).toBe(0);
      await handle.executeUpdate("resume");
      await handle.result();
    },
    {
      bend: (made) =>
        nightOf(
          made,
          async () => {
            opening = true;
            await opened;
          },
          () => undefined,
        ),
    },
  );
});

test("a night that is paused while it scores is not judged until it goes on", async () => {
  const { opened, open } = gate();
  let judged = 0;
  await onStage(
    {},
    async ({ world, input }) => {
      let scoring = false;
      world.job = async ({ job }) => {
        if (!job.includes("score")) return;
        scoring = true;
        await opened;
      };
      const args = [{ experiment: input.run.name, queues: input.queues }] as const;
      const workflowId = `night/${input.run.name}-2026-11-24T03:00:00Z`;
      const handle = await client().workflow.start("nightly", { workflowId, taskQueue: input.queues.control, args: [...args] });
      await until(() => scoring, "its scores");
      await handle.executeUpdate("pause");
      open();
      await pause(1500);
      expect(judged).toBe(0);
      await handle.executeUpdate("resume");
      await handle.result();
      expect(judged).toBe(1);
    },
    {
      bend: (made) =>
        nightOf(
          made,
          async () => undefined,
          () => (judged += 1),
        ),
    },
  );
});
