import { afterAll, beforeAll, expect, test } from "vitest";
import { client, heldFor, onStage, progressOf, setUp, staysQuiet, tearDown, until } from "./harness.ts";
import { ref } from "./stubs.ts";

beforeAll(setUp);
afterAll(tearDown);

const onlyTexts = { until: "converse" } as const;

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
