import { ServiceError } from "@temporalio/client";
import { afterAll, beforeAll, expect, test } from "vitest";
import { messages } from "../../contract/messages.ts";
import { client, onStage, progressOf, setUpWith, tearDown, until } from "./harness.ts";
import { done } from "./stubs.ts";

/** The server takes 2,000 orders of a run; here so many. */
const many = 1000;
/** Orders in flight: the server takes 10. */
const atOnce = 8;

beforeAll(() => setUpWith("--dynamic-config-value", `history.maxTotalUpdates=${many}`));
afterAll(tearDown);

test("a thousand orders in a row cost a dozen events each at most; one more than the server takes is refused in words, and the run goes on", async () => {
  await onStage(
    { conversations: 3, window: 1 },
    async ({ world, start, workflowId }) => {
      let release = (): void => undefined;
      const over = new Promise<void>((resolve) => (release = resolve));
      world.unit = () => over.then(() => done);
      const handle = await start();
      await until(() => world.open === 2, "open conversations");
      const orders = [
        () => handle.executeUpdate(messages.pause),
        (n: number) => handle.executeUpdate<void, [object]>(messages.setWidth, { args: [{ window: 1 + (n % 7) }] }),
        () => handle.executeUpdate(messages.resume),
      ];
      let sent = 0;
      const sendSome = async () => {
        while (sent < many - 1) await orders[sent % 3]!((sent += 1));
      };
      await Promise.all(Array.from({ length: atOnce }, sendSome));
      await handle.executeUpdate(messages.resume);

      const eventsOf = async (id: string) => (await client().workflow.getHandle(id).describe()).historyLength;
      const [batch, shard] = [`${workflowId}/converse/one`, `${workflowId}/converse/one/0`];
      // With two children, and 2,000 orders at most: well below the 51,200 events at which the server ends a run.
      expect(await eventsOf(workflowId)).toBeLessThan(12 * many);
      expect(await eventsOf(batch)).toBeLessThan(7 * many);
      expect(await eventsOf(shard)).toBeLessThan(4 * many);

      const refused = (await handle.executeUpdate(messages.pause).catch((error: unknown) => error)) as Error;
      expect(refused).toBeInstanceOf(ServiceError);
      expect((refused.cause as Error).message).toMatch(
        /limit on the total number of distinct updates.*has been reached \(1000\)/,
      );
      expect((await progressOf(handle)).state).toBe("running");
      release();
      expect(await handle.result()).toMatchObject({ outcome: "stopped-after-stage" });
      expect(world.events.filter((event) => event.startsWith("unit converse"))).toHaveLength(6);
    },
    { until: "converse" },
  );
});
