import { afterAll, beforeAll, expect, test } from "vitest";
import { heldFor, onStage, progressOf, setUp, tearDown, until } from "./harness.ts";
import { done } from "./stubs.ts";

beforeAll(setUp);
afterAll(tearDown);

const onlyTexts = { until: "converse" } as const;

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

test.concurrent.each([
  ["one", ["one"]],
  ["one, while another context waits,", ["one", "two"]],
])("the last conversation of context %s ends the hold by ending", async (_, contexts) => {
  await onStage(
    { contexts, conversations: 4, window: 1, stallHoldMs: 2000 },
    async ({ world, start }) => {
      let freed = false;
      world.unit = async ({ group, unit }, signal) => {
        if (group.context === "two") await new Promise((resolve) => setTimeout(resolve, 1500));
        if (group.context === "one" && unit === 3) await until(() => freed || signal.aborted, "the way to be free", 60_000);
        return done;
      };
      const handle = await start();
      await heldFor(handle, "stalled");
      freed = true;
      await handle.result();
      expect(world.spendCalls).toBe(4 * contexts.length);
    },
    onlyTexts,
  );
});
