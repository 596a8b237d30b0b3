import { afterAll, beforeAll, expect, test } from "vitest";
import { messages } from "../../contract/messages.ts";
import { heldFor, onStage, progressOf, setUp, tearDown, until } from "./harness.ts";
import { done } from "./stubs.ts";
import type { World } from "./stubs.ts";

beforeAll(setUp);
afterAll(tearDown);

const pause = (ms: number) => new Promise((resolve) => setTimeout(resolve, ms));
const started = ({ events }: World, what: string) => events.filter((event) => event.startsWith(what));

/** Waits until nothing is open and nothing has happened for a while; answers how much had happened by then. */
async function quiet(world: World): Promise<number> {
  let seen = -1;
  await until(async () => {
    const before = world.events.length;
    await pause(1200);
    seen = world.events.length;
    return world.open === 0 && seen === before;
  }, "a quiet run");
  return seen;
}

/** A promise and what fulfils it. */
function gate() {
  let open = (): void => undefined;
  const opened = new Promise<void>((resolve) => (open = resolve));
  return { opened, open };
}

test.concurrent(
  "a pause while a job trains lets it end and be kept, and starts no other; resumed, nothing is trained twice",
  async () => {
    await onStage({ contexts: ["one"], conversations: 2 }, async ({ world, start }) => {
      const { opened, open } = gate();
      world.job = async ({ job }) => {
        if (job.includes("align") || job.includes("preference")) await opened;
      };
      const handle = await start();
      await until(
        () => started(world, "job align").length === 1 && started(world, "job reward.preference").length === 1,
        "training",
      );
      await handle.executeUpdate(messages.pause);
      const before = started(world, "job ").length;
      await pause(1000);
      expect(started(world, "ended align")).toEqual([]);
      open();
      await until(() => world.events.includes("sealed align/small/one"), "the adapter");
      await until(() => world.events.includes("sealed reward/preference-one"), "the preference model");
      await pause(1500);
      expect(world.events).not.toContain("serving");
      expect(started(world, "unit evaluate")).toEqual([]);
      expect(started(world, "job ")).toHaveLength(before);
      const progress = await progressOf(handle);
      expect(progress.state).toBe("paused");
      expect(progress.stages.find(({ key }) => key === "align/small/one")).toMatchObject({ state: "done" });
      await handle.executeUpdate(messages.resume);
      await handle.result();
      const jobs = started(world, "job ");
      expect(new Set(jobs).size).toBe(jobs.length);
      expect(jobs.every((job) => job.endsWith("fence 1"))).toBe(true);
    });
  },
);

test.concurrent("a pause while a reward model trains holds what waits for it, and what is ready beside it", async () => {
  await onStage({ contexts: ["one"], conversations: 2 }, async ({ world, start }) => {
    const { opened, open } = gate();
    world.job = async ({ job }) => {
      if (job.includes("reward.guide")) await opened;
    };
    const handle = await start();
    await until(() => started(world, "unit steer one").length === 2 || world.events.includes("sealed converse/one"), "texts");
    await until(() => started(world, "job reward.guide").length === 1, "the guide");
    await handle.executeUpdate(messages.pause);
    open();
    await until(() => world.events.includes("sealed reward/guide"), "the guide's end");
    await pause(1500);
    expect(started(world, "job steer")).toEqual([]);
    await handle.executeUpdate(messages.resume);
    await handle.result();
    expect(started(world, "job steer")).toHaveLength(1);
  });
});

test.concurrent("a pause while it serves keeps the server and opens no conversation; resumed, each is held once", async () => {
  await onStage(
    { contexts: ["one"], conversations: 1, evaluation: { split: "test", conversations: 60, arms: ["baseline"] }, window: 2 },
    async ({ world, start }) => {
      world.unit = async ({ group }) => {
        if (group.stage === "evaluate") await pause(200);
        return done;
      };
      const handle = await start();
      await until(() => started(world, "unit evaluate").length > 2, "roll-outs");
      await handle.executeUpdate(messages.pause);
      await quiet(world);
      expect(started(world, "unit evaluate").length).toBeLessThan(60);
      expect((await progressOf(handle)).state).toBe("paused");
      expect(world.stopped).not.toContain("eval.small.serve");
      world.unit = async () => done;
      await handle.executeUpdate(messages.resume);
      await handle.result();
      expect(started(world, "unit evaluate")).toHaveLength(60);
      expect(started(world, "serving")).toHaveLength(1);
    },
  );
});

test.concurrent.each(["pause", "resume"] as const)("fifty pauses and resumes, the last a %s, end in that", async (last) => {
  await onStage(
    { conversations: 150, window: 2 },
    async ({ world, start }) => {
      world.unit = async () => {
        await pause(300);
        return done;
      };
      const handle = await start();
      await until(() => world.events.length > 4, "first conversations");
      for (let n = 0; n < 50; n += 1) await handle.executeUpdate(n % 2 === 0 ? messages.pause : messages.resume);
      if (last === "pause") {
        await handle.executeUpdate(messages.pause);
        expect(await quiet(world)).toBeLessThan(300);
        expect((await progressOf(handle)).state).toBe("paused");
        await handle.executeUpdate(messages.resume);
      }
      world.unit = async () => done;
      await handle.executeUpdate<void, [object]>(messages.setWidth, { args: [{ window: 50 }] });
      await handle.result();
      const texts = started(world, "unit converse");
      expect([texts.length, new Set(texts).size]).toEqual([300, 300]);
    },
    { until: "converse" },
  );
});

test.concurrent("a run that was paused first and then ran out of budget is paused when the budget is raised", async () => {
  await onStage(
    { contexts: ["one"], conversations: 20, window: 2, budget: { calls: 6, usd: null } },
    async ({ world, start }) => {
      const { opened, open } = gate();
      let begun = 0;
      world.unit = async () => {
        if ((begun += 1) > 3) await opened;
        return { status: "done", spend: { calls: 2, reread: 0, usd: 0 } };
      };
      const handle = await start();
      await until(() => world.open > 0 || world.spendCalls >= 6, "the last of the budget");
      await handle.executeUpdate(messages.pause);
      open();
      await pause(1000);
      await handle.executeUpdate(messages.resume);
      await heldFor(handle, "budget");
      await handle.executeUpdate(messages.pause);
      expect((await progressOf(handle)).state).toBe("held");
      await handle.executeUpdate<void, [object]>(messages.raiseBudget, { args: [{ calls: 100, usd: null }] });
      expect((await progressOf(handle)).state).toBe("paused");
      const before = world.events.length;
      await pause(1500);
      expect(world.events).toHaveLength(before);
      expect(world.spendCalls).toBeLessThanOrEqual(6);
      await handle.executeUpdate(messages.resume);
      await handle.result();
      expect(started(world, "unit converse")).toHaveLength(20);
    },
    { until: "converse" },
  );
});
