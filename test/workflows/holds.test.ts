import { afterAll, beforeAll, expect, test } from "vitest";
import type { HoldDetail } from "../../contract/failures.ts";
import { client, heldFor, onStage, progressOf, setUp, tearDown, until } from "./harness.ts";
import { done, failure, ref } from "./stubs.ts";
import type { World } from "./stubs.ts";

beforeAll(setUp);
afterAll(tearDown);

const quota: HoldDetail = { reason: "quota", message: "The account is out of credit", remedy: "Top it up" };
const onlyTexts = { until: "converse" } as const;

/** The hold reaches the other contexts through the run, so a conversation or two may still start; after that, none. */
async function staysQuiet(world: World): Promise<void> {
  const pause = (ms: number) => new Promise((resolve) => setTimeout(resolve, ms));
  await pause(1500);
  await until(() => world.open === 0, "open conversations to end");
  const before = world.events.length;
  await pause(1500);
  expect(world.events.length).toBe(before);
}

test.concurrent("a held conversation goes back to the front, nothing new starts, resume goes on", async () => {
  await onStage(
    { conversations: 12, window: 2 },
    async ({ world, start }) => {
      let broke = false;
      let mended = false;
      world.unit = async ({ group, unit }) => {
        await new Promise((resolve) => setTimeout(resolve, 150));
        if (group.context === "one" && unit === 3 && !mended) {
          broke = true;
          throw failure("Held", quota);
        }
        return done;
      };
      const handle = await start();
      const held = await heldFor(handle, "quota");
      expect(broke).toBe(true);
      expect(held.hold).toEqual(quota);
      await staysQuiet(world);
      expect(world.events).not.toContain("unit converse two 11");
      const { typedSearchAttributes } = await handle.describe();
      expect(typedSearchAttributes.getAll().find(({ key }) => key.name === "AttuneHoldReason")?.value).toBe("quota");
      const { currentDetails } = await handle.query<{ currentDetails?: string }>("__temporal_workflow_metadata");
      expect(currentDetails).toMatch(
        /Held \(quota\).*out of credit[^]*Top it up[^]*attune resume exp\/[^]*\| converse\/one \| ▶ \| \d+ \/ 12 \|/,
      );

      mended = true;
      await handle.executeUpdate("resume");
      await handle.result();
      const order = world.events.filter((event) => event.startsWith("unit converse one"));
      expect(order).toHaveLength(12);
      // The held one was the first to start again.
      expect(order.indexOf("unit converse one 3")).toBeLessThan(order.indexOf("unit converse one 6"));
    },
    onlyTexts,
  );
});

test.concurrent("pause starts nothing new, resume goes on; both may come twice", async () => {
  await onStage(
    { conversations: 30, window: 2 },
    async ({ world, start }) => {
      world.unit = async () => {
        await new Promise((resolve) => setTimeout(resolve, 150));
        return done;
      };
      const handle = await start();
      await until(() => world.events.length > 6, "first conversations");
      await handle.executeUpdate("pause");
      await handle.executeUpdate("pause");
      await staysQuiet(world);
      expect((await progressOf(handle)).state).toBe("paused");
      await expect(handle.executeUpdate("setWidth", { args: [{ window: 0 }] })).rejects.toThrow();
      await handle.executeUpdate("setWidth", { args: [{ window: 10 }] });
      await handle.executeUpdate("resume");
      await handle.executeUpdate("resume");
      await handle.result();
      expect(world.mostOpen).toBeGreaterThan(4);
    },
    onlyTexts,
  );
});

test.concurrent("too many dropped conversations hold the run; it goes on with more samples", async () => {
  await onStage(
    { contexts: ["one"], conversations: 10, minKeptShare: 0.8 },
    async ({ world, start, workflowId }) => {
      world.unit = async ({ unit, sampleLimit }) =>
        unit % 2 === 0 && sampleLimit < 5
          ? { status: "dropped", reason: "near-copy", spend: { calls: 1, reread: 0, usd: 0 } }
          : done;
      const handle = await start();
      const held = await heldFor(handle, "kept-share");
      expect(held.hold?.message).toMatch(/near-copy/);
      await expect(handle.executeUpdate("retryUnits", { args: [{ sampleLimit: 2 }] })).rejects.toThrow();
      await handle.executeUpdate("retryUnits", { args: [{ sampleLimit: 5 }] });
      await handle.result();
      const { stages } = await progressOf(handle);
      expect(stages.find(({ key }) => key === "converse/one")).toMatchObject({ state: "done" });
      expect(await client().workflow.getHandle(`${workflowId}/converse/one`).result()).toMatchObject({
        counts: { done: 10, dropped: {} },
      });
    },
    onlyTexts,
  );
});

test.concurrent("of a shard that has ended only the conversations that gave up are worked again", async () => {
  await onStage(
    { contexts: ["one"], conversations: 402, minKeptShare: 1, window: 50 },
    async ({ world, start, workflowId }) => {
      world.unit = async ({ unit, sampleLimit }) => {
        if ((unit !== 398 && unit !== 399) || sampleLimit >= 5) return done;
        // The last of the shard, so that it ends beside the hold.
        await until(() => world.events.length >= 398, "the others to end");
        return { status: "dropped", reason: "near-copy", spend: { calls: 1, reread: 0, usd: 0 } };
      };
      const handle = await start();
      await heldFor(handle, "kept-share");
      const first = `${workflowId}/converse/one/0`;
      expect(await client().workflow.getHandle(first).result()).toMatchObject({ gaveUp: [398, 399], counts: { done: 398 } });
      await handle.executeUpdate("retryUnits", { args: [{ sampleLimit: 5 }] });
      await handle.result();
      expect(await client().workflow.getHandle(`${first}/again-1`).result()).toMatchObject({ counts: { done: 2, dropped: {} } });
      expect(world.events.filter((event) => event === "unit converse one 7")).toHaveLength(1);
      expect(await client().workflow.getHandle(`${workflowId}/converse/one`).result()).toMatchObject({
        counts: { done: 402, dropped: {} },
        spend: { calls: 404 },
      });
    },
    onlyTexts,
  );
});

test.concurrent("a person may go on with what is kept", async () => {
  await onStage(
    { contexts: ["one"], conversations: 10, minKeptShare: 0.8 },
    async ({ world, start }) => {
      world.unit = async ({ unit }) =>
        unit < 3 ? { status: "failed", reason: "gave-up", spend: { calls: 1, reread: 0, usd: 0 } } : done;
      const handle = await start();
      await heldFor(handle, "kept-share");
      await handle.executeUpdate("resume");
      await handle.result();
      expect(world.events).toContain("sealed converse/one");
    },
    onlyTexts,
  );
});

test.concurrent("after more samples were granted, too, it is said once", async () => {
  await onStage(
    { contexts: ["one"], conversations: 10, minKeptShare: 0.8, window: 2 },
    async ({ world, start }) => {
      let granted = false;
      world.unit = async ({ unit }) => {
        await until(() => granted, "the grant");
        return unit < 3 ? { status: "dropped", reason: "coherence", spend: { calls: 1, reread: 0, usd: 0 } } : done;
      };
      const handle = await start();
      await until(() => world.open > 0, "a conversation to open");
      await handle.executeUpdate("retryUnits", { args: [{ sampleLimit: 4 }] });
      granted = true;
      await heldFor(handle, "kept-share");
      await handle.executeUpdate("resume");
      await handle.result();
    },
    onlyTexts,
  );
});

test.concurrent("an unknown failure of a unit is recorded, not retried for ever", async () => {
  await onStage(
    { contexts: ["one"], conversations: 4, minKeptShare: 0.5 },
    async ({ world, start, workflowId }) => {
      world.unit = async ({ unit }) => {
        if (unit === 1) throw failure("ProviderRefusedRequest");
        return done;
      };
      await (await start()).result();
      const shard = await client().workflow.getHandle(`${workflowId}/converse/one/0`).result();
      expect(shard).toMatchObject({ counts: { done: 3, dropped: {}, failed: { ProviderRefusedRequest: 1 } } });
    },
    onlyTexts,
  );
});

test.concurrent("the budget holds the run when it is used up and lets it go on when raised", async () => {
  await onStage(
    { contexts: ["one", "two"], conversations: 10, window: 2, budget: { calls: 12, usd: null } },
    async ({ world, start }) => {
      const handle = await start();
      const held = await heldFor(handle, "budget");
      expect(held.hold?.message).toMatch(/of 12 calls/);
      // Of the two calls a conversation may need it spends one, so a little stays in each hand; never more than the cap.
      expect(world.spendCalls).toBeGreaterThanOrEqual(8);
      expect(world.spendCalls).toBeLessThanOrEqual(12);
      await expect(handle.executeUpdate("raiseBudget", { args: [{ calls: 5, usd: null }] })).rejects.toThrow();
      await handle.executeUpdate("raiseBudget", { args: [{ calls: 100, usd: null }] });
      await handle.result();
      expect(world.spendCalls).toBe(20);
      expect((await progressOf(handle)).spend.calls).toBe(20);
    },
    onlyTexts,
  );
});

test.concurrent("a stage's own cap holds the run and names the stage; raised, it goes on", async () => {
  await onStage(
    {
      contexts: ["one", "two"],
      conversations: 10,
      window: 2,
      stageBudgets: { steer: { calls: 12, usd: null } },
      guided: false,
    },
    async ({ world, start }) => {
      const handle = await start();
      const held = await heldFor(handle, "budget");
      expect(held.hold?.message).toMatch(/^The budget of steer is used up: \d+ of 12 calls/);
      expect(held.hold?.remedy).toMatch(/attune budget raise \S+ --stage steer --calls 24/);
      expect(held.stageBudgets).toMatchObject([{ stage: "steer", budget: { calls: 12, usd: null } }]);
      // The other stage draws nothing and has no cap.
      expect(world.spendByStage.converse).toBe(20);
      expect(world.spendByStage.steer).toBeGreaterThanOrEqual(8);
      expect(world.spendByStage.steer).toBeLessThanOrEqual(12);
      const { currentDetails } = await handle.query<{ currentDetails?: string }>("__temporal_workflow_metadata");
      expect(currentDetails).toMatch(/steer: calls \d+ of 12/);
      const refused = { calls: 100, usd: null, stage: "converse" };
      await expect(handle.executeUpdate("raiseBudget", { args: [refused] })).rejects.toThrow();
      await handle.executeUpdate("raiseBudget", { args: [{ calls: 100, usd: null, stage: "steer" }] });
      await handle.result();
      expect(world.spendByStage).toEqual({ converse: 20, steer: 20 });
    },
    {
      until: "steer",
      bend: ({ control }) => {
        const seal = control.sealConversations;
        control.sealConversations = async (input) => {
          const record = await seal(input);
          return { ...record, outputs: { conversations: { ...ref("conversations"), rows: 10 } } };
        };
      },
    },
  );
});

test.concurrent("of two caps the one that is reached first holds the run, and each is raised by itself", async () => {
  await onStage(
    {
      contexts: ["one"],
      conversations: 20,
      window: 2,
      budget: { calls: 14, usd: null },
      stageBudgets: { converse: { calls: 8, usd: null } },
    },
    async ({ world, start }) => {
      const handle = await start();
      expect((await heldFor(handle, "budget")).hold?.message).toMatch(/of converse is used up/);
      expect(world.spendCalls).toBeLessThanOrEqual(8);
      await handle.executeUpdate("raiseBudget", { args: [{ calls: 100, usd: null, stage: "converse" }] });
      await until(async () => {
        const { state, hold } = await progressOf(handle);
        return state === "held" && hold?.message.startsWith("The budget is used up") === true;
      }, "the run's own cap");
      expect(world.spendCalls).toBeLessThanOrEqual(14);
      await handle.executeUpdate("raiseBudget", { args: [{ calls: 100, usd: null }] });
      await handle.result();
      expect(world.spendCalls).toBe(20);
    },
    onlyTexts,
  );
});

test.concurrent(
  "what needs a person is not lifted with a stall, and a stall ends only when the child that stalled goes on",
  async () => {
    await onStage(
      { contexts: ["one", "two"], conversations: 8, window: 1, stallHoldMs: 3000 },
      async ({ world, start }) => {
        let freed = false;
        let others = 0;
        world.unit = async ({ group, unit }, signal) => {
          if (group.context === "one" && unit === 2) {
            await until(() => freed || signal.aborted, "the way to be free", 60_000);
            return done;
          }
          if (group.context === "two") {
            others += 1;
            await new Promise((resolve) => setTimeout(resolve, 1200));
          }
          return done;
        };
        const handle = await start();
        await heldFor(handle, "stalled");
        const before = others;
        await new Promise((resolve) => setTimeout(resolve, 4000));
        // The healthy context's conversation ended meanwhile: that lifts nothing.
        expect((await progressOf(handle)).hold?.reason).toBe("stalled");
        expect(others - before).toBeLessThanOrEqual(1);
        freed = true;
        await handle.result();
        expect(world.spendCalls).toBe(16);
      },
      onlyTexts,
    );
  },
);

test.concurrent(
  "a budget that lasts costs the histories little: draws are for many conversations, and grants are no orders",
  async () => {
    await onStage(
      {
        contexts: ["one", "two"],
        conversations: 200,
        window: 4,
        budget: { calls: 100_000, usd: 1000 },
        // Sums of such amounts round: what is left of a draw by rounding must not be drawn again.
        allowance: { converse: { calls: 8, usd: 0.1 }, steer: { calls: 8, usd: 0.1 }, evaluate: { calls: 8, usd: 0.1 } },
      },
      async ({ world, start, workflowId }) => {
        world.unit = async ({ unit }) => ({ status: "done", spend: { calls: 1, reread: 0, usd: 0.0123 + unit / 7e4 } });
        await (await start()).result();
        const eventsOf = async (id: string) => (await client().workflow.getHandle(id).describe()).historyLength;
        // Two shards of 200 conversations at five calls a draw: without a budget the root has some 100 events, a shard some 3 a conversation.
        expect(await eventsOf(workflowId)).toBeLessThan(350);
        expect(await eventsOf(`${workflowId}/converse/one`)).toBeLessThan(400);
      },
      onlyTexts,
    );
  },
);

test.concurrent("a cap in dollars holds the run when a cost is unknown: it could never be reached", async () => {
  await onStage(
    {
      contexts: ["one"],
      conversations: 40,
      window: 2,
      budget: { calls: null, usd: 1 },
      allowance: { converse: { calls: 1, usd: 0.1 }, steer: { calls: 1, usd: 0.1 }, evaluate: { calls: 1, usd: 0.1 } },
    },
    async ({ world, start }) => {
      world.unit = async () => ({ status: "done", spend: { calls: 1, reread: 0, usd: null } });
      const handle = await start();
      const held = await heldFor(handle, "budget");
      expect(held.hold?.message).toMatch(/cost of some of the \d+ recorded calls is unknown/);
      expect(world.spendCalls).toBeLessThan(40);
      await handle.cancel();
      await handle.result().catch(() => undefined);
    },
    onlyTexts,
  );
});

test.concurrent("a cap in dollars holds the run, and a pause outlives a raised budget", async () => {
  await onStage(
    {
      contexts: ["one"],
      conversations: 40,
      window: 2,
      budget: { calls: null, usd: 1 },
      allowance: { converse: { calls: 2, usd: 0.25 }, steer: { calls: 2, usd: 0.25 }, evaluate: { calls: 2, usd: 0.25 } },
    },
    async ({ world, start }) => {
      world.unit = async () => {
        await new Promise((resolve) => setTimeout(resolve, 50));
        return { status: "done", spend: { calls: 1, reread: 0, usd: 0.2 } };
      };
      const handle = await start();
      const held = await heldFor(handle, "budget");
      expect(held.hold?.message).toMatch(/of \$1/);
      expect(held.hold?.remedy).toMatch(/npx attune budget raise \S+ --usd 2/);
      await staysQuiet(world);
      // Never more than the cap: what a conversation may cost is reserved before it starts.
      expect(world.events.filter((event) => event.startsWith("unit converse")).length).toBeLessThanOrEqual(5);
      await handle.executeUpdate("pause");
      await handle.executeUpdate("raiseBudget", { args: [{ calls: null, usd: 100 }] });
      expect((await progressOf(handle)).state).toBe("paused");
      await staysQuiet(world);
      await handle.executeUpdate("resume");
      await handle.result();
      expect(world.events.filter((event) => event.startsWith("unit converse"))).toHaveLength(40);
    },
    onlyTexts,
  );
});

test.concurrent("a run in which nothing ends is held, and goes on by itself when something does", async () => {
  await onStage(
    { contexts: ["one"], conversations: 4, window: 1, stallHoldMs: 1500 },
    async ({ world, start }) => {
      let release = (): void => undefined;
      const outage = new Promise<void>((resolve) => (release = resolve));
      world.unit = async () => {
        await outage;
        return done;
      };
      const handle = await start();
      await heldFor(handle, "stalled");
      release();
      await handle.result();
    },
    onlyTexts,
  );
});
