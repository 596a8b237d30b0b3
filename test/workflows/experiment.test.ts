import { WorkflowFailedError } from "@temporalio/client";
import { afterAll, beforeAll, expect, test } from "vitest";
import { client, onStage, progressOf, setUp, tearDown, until } from "./harness.ts";
import { failure, untilCancelled } from "./stubs.ts";

beforeAll(setUp);
afterAll(tearDown);

test.concurrent("runs the whole tree and reports where it stands", async () => {
  await onStage({}, async ({ world, start, workflowId }) => {
    const handle = await start();
    const result = await handle.result();
    expect(result).toMatchObject({ outcome: "finished", gapReduction: 0.5 });
    const progress = await progressOf(handle);
    expect(progress.stages.map(({ key, state }) => `${key} ${state}`)).toEqual([
      "measure done",
      "converse/one done",
      "converse/two done",
      "steer/one done",
      "steer/two done",
      "reward/guide done",
      "reward/evaluator done",
      "reward/preference-one done",
      "reward/preference-two done",
      "align/small/one done",
      "align/small/two done",
      "evaluate/small done",
      "report done",
    ]);
    // Every conversation ran once, in a bounded window, and every job was stopped when its scope ended.
    expect(world.events.filter((event) => event.startsWith("unit converse"))).toHaveLength(8);
    expect(world.events.filter((event) => event.startsWith("unit evaluate"))).toHaveLength(8);
    expect([...world.stopped].toSorted()).toEqual(
      [
        ...world.events.filter((event) => event.startsWith("job ")).map((event) => event.split(" ")[1]),
        "eval.small.serve",
      ].toSorted(),
    );
    // The server is gone before the score job starts, and nothing trained while it served.
    expect(world.at("stopped eval.small.serve")).toBeLessThan(world.at("job eval.small.score fence 1"));
    expect(world.at("ended align.small.two")).toBeLessThan(world.at("serving"));
    // Adapters don't mix: the base arms of both contexts come first.
    expect(world.at("unit evaluate two baseline 1")).toBeLessThan(world.at("unit evaluate one adapter 0"));
    const { typedSearchAttributes } = await handle.describe();
    const shown = Object.fromEntries(typedSearchAttributes.getAll().map(({ key, value }) => [key.name, value]));
    expect(shown).toMatchObject({ AttuneStage: "report", AttuneDone: 24, AttuneTotal: 24, AttuneGapReduction: 0.5 });
    const child = await client().workflow.getHandle(`${workflowId}/eval/small/one/adapter`).describe();
    expect(child.status.name).toBe("COMPLETED");
  });
});

test.concurrent("a context trains while another still converses", async () => {
  await onStage({}, async ({ world, start }) => {
    let release = (): void => undefined;
    const slow = new Promise<void>((resolve) => (release = resolve));
    world.unit = async ({ group }) => {
      if (group.stage === "converse" && group.context === "two") await slow;
      return { status: "done", spend: { calls: 1, reread: 0, usd: 0 } };
    };
    const handle = await start();
    await until(() => world.events.includes("sealed align/small/one"), "the adapter of the quick context");
    expect(world.events).not.toContain("sealed converse/two");
    expect(world.events).not.toContain("serving");
    release();
    await handle.result();
  });
});

test.concurrent("a second run rebuilds only what is missing, and what was made from it", async () => {
  await onStage({}, async ({ world, start }) => {
    await (await start()).result();
    world.records.delete("align/small/two");
    world.events.length = 0;
    const again = await start();
    await again.result();
    expect(world.events.filter((event) => event.startsWith("job "))).toEqual([
      "job align.small.two fence 1",
      "job eval.small.score fence 1",
    ]);
    expect(world.events.filter((event) => event.startsWith("dropped"))).toEqual(["dropped evaluate/small", "dropped report"]);
    expect(world.events.some((event) => event.startsWith("unit converse"))).toBe(false);
    const states = new Map((await progressOf(again)).stages.map(({ key, state }) => [key, state]));
    expect(states.get("align/small/one")).toBe("reused");
    expect(states.get("align/small/two")).toBe("done");
    world.events.length = 0;
    await (await start()).result();
    expect(world.events).toEqual([]);
  });
});

test.concurrent("stops after a stage and goes on from there", async () => {
  await onStage(
    {},
    async ({ world, start, input, workflowId }) => {
      expect(await (await start()).result()).toMatchObject({ outcome: "stopped-after-stage" });
      expect(world.events).toContain("sealed steer/two");
      expect(world.events.some((event) => event.includes("align") || event.includes("evaluator"))).toBe(false);
      const { until: _, ...whole } = input;
      world.events.length = 0;
      const result = await client().workflow.execute("experiment", {
        workflowId,
        taskQueue: input.queues.control,
        args: [whole],
      });
      expect(result).toMatchObject({ outcome: "finished" });
      expect(world.events.some((event) => event.startsWith("unit steer"))).toBe(false);
    },
    { until: "steer" },
  );
});

test.concurrent("a failed piece lets the others end, then names itself", async () => {
  await onStage({}, async ({ world, start }) => {
    world.stage = async (key) => {
      if (key === "steer/one") throw failure("BadData");
    };
    const error = await (await start()).result().catch((thrown: unknown) => thrown);
    expect(error).toBeInstanceOf(WorkflowFailedError);
    expect((error as WorkflowFailedError).cause?.message).toMatch(/steer\/one: stub: BadData/);
    expect(world.events).toContain("sealed align/small/two");
    expect(world.events).not.toContain("serving");
  });
});

test.concurrent("cancel in mid-batch waits for open conversations and starts no other", async () => {
  await onStage({ conversations: 20 }, async ({ world, start, workflowId }) => {
    let ended = 0;
    world.unit = async () => untilCancelled().finally(() => (ended += 1));
    const handle = await start();
    await until(() => world.open >= 6, "open conversations");
    await handle.cancel();
    await expect(handle.result()).rejects.toThrow(WorkflowFailedError);
    expect((await handle.describe()).status.name).toBe("CANCELLED");
    expect(ended).toBe(6);
    expect(world.open).toBe(0);
    expect((await client().workflow.getHandle(`${workflowId}/converse/one/0`).describe()).status.name).toBe("CANCELLED");
  });
});

test.concurrent("cancel in mid-job stops the job", async () => {
  await onStage({}, async ({ world, start }) => {
    world.job = async ({ job }) => {
      if (job.includes("align")) await untilCancelled();
    };
    const handle = await start();
    await until(() => world.events.filter((event) => event.startsWith("job align")).length === 2, "two jobs");
    await handle.cancel();
    await expect(handle.result()).rejects.toThrow(WorkflowFailedError);
    expect((await handle.describe()).status.name).toBe("CANCELLED");
    expect(world.stopped).toEqual(expect.arrayContaining(["align.small.one", "align.small.two"]));
  });
});

test.concurrent("cancel while it serves stops the server", async () => {
  await onStage({}, async ({ world, start }) => {
    world.unit = async ({ group }) =>
      group.stage === "evaluate" ? untilCancelled() : { status: "done", spend: { calls: 1, reread: 0, usd: 0 } };
    const handle = await start();
    await until(() => world.open > 0 && world.events.includes("serving"), "roll-outs");
    await handle.cancel();
    await expect(handle.result()).rejects.toThrow(WorkflowFailedError);
    expect((await handle.describe()).status.name).toBe("CANCELLED");
    expect(world.stopped).toContain("eval.small.serve");
    expect(world.events).not.toContain("job eval.small.score fence 1");
  });
});
