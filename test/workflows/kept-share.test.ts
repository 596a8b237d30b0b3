import { afterAll, beforeAll, expect, test } from "vitest";
import type { HoldDetail } from "../../contract/failures.ts";
import { client, heldFor, onStage, progressOf, setUp, tearDown, until } from "./harness.ts";
import { done, failure } from "./stubs.ts";

beforeAll(setUp);
afterAll(tearDown);

const quota: HoldDetail = { reason: "quota", message: "The account is out of credit", remedy: "Top it up" };
const onlyTexts = { until: "converse" } as const;

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

test.concurrent(
  "only a person who was told that too few are kept can go on with them: what ends a stall or a quota does not",
  async () => {
    for (const reason of ["stalled", "quota"] as const) {
      await onStage(
        { contexts: ["one"], conversations: 10, minKeptShare: 0.9, window: 10, stallHoldMs: 2000 },
        async ({ world, start }) => {
          let goesOn = false;
          world.unit = async ({ unit }) => {
            if (unit > 1) return done;
            await until(() => world.events.length >= 8, "the others to end");
            if (unit === 0 && reason === "quota" && !goesOn) throw failure("Held", quota);
            await until(() => goesOn, "the way to be free", 60_000);
            return { status: "dropped", reason: "near-copy", spend: { calls: 1, reread: 0, usd: 0 } };
          };
          const handle = await start();
          await heldFor(handle, reason);
          goesOn = true;
          if (reason === "quota") await handle.executeUpdate("resume");
          await heldFor(handle, "kept-share");
          await handle.executeUpdate("resume");
          await handle.result();
          expect(world.events).toContain("sealed converse/one");
        },
        onlyTexts,
      );
    }
  },
);
