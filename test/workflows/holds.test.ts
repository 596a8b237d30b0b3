import { afterAll, beforeAll, expect, test } from "vitest";
import type { HoldDetail } from "../../contract/failures.ts";
import { client, heldFor, onStage, progressOf, setUp, staysQuiet, tearDown, until } from "./harness.ts";
import { done, failure } from "./stubs.ts";

beforeAll(setUp);
afterAll(tearDown);

const quota: HoldDetail = { reason: "quota", message: "The account is out of credit", remedy: "Top it up" };
const onlyTexts = { until: "converse" } as const;

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
