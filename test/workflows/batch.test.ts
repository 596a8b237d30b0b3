import { afterAll, beforeAll, expect, test } from "vitest";
import { client, onStage, setUp, tearDown } from "./harness.ts";
import { done } from "./stubs.ts";

beforeAll(setUp);
afterAll(tearDown);

test.concurrent("the next shard starts while the last conversations of the one before are open", async () => {
  await onStage(
    { contexts: ["one"], conversations: 405, window: 100 },
    async ({ world, start, workflowId }) => {
      let release = (): void => undefined;
      const overlap = new Promise<void>((resolve) => (release = resolve));
      const timer = setTimeout(release, 60_000);
      world.unit = async ({ unit }) => {
        // The first shard's last conversation ends only after one of the second shard has run.
        if (unit === 399) await overlap;
        if (unit === 400) release();
        return done;
      };
      await (await start()).result();
      clearTimeout(timer);
      expect(world.at("unit converse one 400")).toBeLessThan(world.at("unit converse one 399"));
      expect(world.mostOpen).toBeLessThanOrEqual(105);
      expect(await client().workflow.getHandle(`${workflowId}/converse/one`).result()).toMatchObject({
        counts: { done: 405 },
        spend: { calls: 405 },
      });
      const { events } = await client().workflow.getHandle(`${workflowId}/converse/one/0`).fetchHistory();
      expect((events ?? []).length / 400).toBeLessThan(5);
    },
    { until: "converse" },
  );
});
