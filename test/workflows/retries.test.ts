import { afterAll, beforeAll, expect, test } from "vitest";
import { retriesNow, retriesText } from "../../cli/server/retries.ts";
import { client, onStage, setUp, tearDown, until } from "./harness.ts";
import { done } from "./stubs.ts";

beforeAll(setUp);
afterAll(tearDown);

test.concurrent("what fails and is tried again is listed by its reason, and no longer once it goes", async () => {
  await onStage({ conversations: 4, window: 4, until: "converse" } as object, async ({ world, start, workflowId }) => {
    let mended = false;
    world.unit = async ({ group, unit }) => {
      if (mended || unit > 2) return done;
      if (group.context === "two") throw new RangeError("no such row\nwith more words");
      if (unit === 0) throw new Error("the store is locked");
      return done;
    };
    const handle = await start();
    const retries = await until(async () => {
      const now = await retriesNow(client(), workflowId);
      return now.length === 2 && now.every(({ attempt }) => attempt > 1) ? now : null;
    }, "two reasons");
    expect(retries).toMatchObject([
      { error: "RangeError: no such row", steps: 3, activity: "converse" },
      { error: "the store is locked", steps: 1, activity: "converse" },
    ]);
    expect(retriesText(retries)).toMatch(
      /^Trying again: 3 steps, such as converse of exp\/.+, attempt \d+: RangeError: no such row\nTrying again: converse of exp\/.+, attempt \d+: the store is locked$/,
    );
    mended = true;
    await until(async () => (await retriesNow(client(), workflowId)).length === 0, "all to go on");
    await handle.terminate("seen");
  });
});
