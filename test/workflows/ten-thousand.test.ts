import { spawn } from "node:child_process";
import { once } from "node:events";
import { fileURLToPath } from "node:url";
import type { TestWorkflowEnvironment } from "@temporalio/testing";
import { DefaultLogger, Runtime, Worker } from "@temporalio/worker";
import { afterAll, beforeAll, expect, test } from "vitest";
import type { BatchResult, ExperimentInput, ExperimentPlan } from "../../contract/experiment.ts";
import { messages } from "../../contract/messages.ts";
import { queuesFor } from "../../contract/queues.ts";
import { disobeyed, type Events, mostOpen } from "../support/shard-history.ts";
import { localServer } from "../support/temporal.ts";
import { progressOf, until } from "./harness.ts";
import { done, failure, ref, stubs, World } from "./stubs.ts";

const conversations = 10_000;
const shardUnits = 400;
const shards = conversations / shardUnits;
/** As wide as a shard; then so narrow that an order finds a shard half begun. */
const window = 400;
const narrow = 60;
const prefix = "many";
const queues = queuesFor(prefix);
/** Why the server has a workflow task done again when nobody is at fault: more than 100 events came while it ran; one came as the workflow was to end. */
const harmless = new Map([
  [17, "FORCE_CLOSE_COMMAND"],
  [1, "UNHANDLED_COMMAND"],
]);

const allowance = { calls: 2, usd: null };
const plan: ExperimentPlan = {
  contexts: ["one"],
  backbones: ["small"],
  conversations,
  guided: true,
  evaluation: { split: "test", conversations: 2, arms: ["baseline"] },
  window,
  minKeptShare: 0.5,
  stallHoldMs: 600_000,
  sampleLimit: { converse: 2, steer: 2, evaluate: 2 },
  allowance: { converse: allowance, steer: allowance, evaluate: allowance },
  budget: { calls: null, usd: null },
  jobRestarts: 2,
  jobDeadlineSeconds: 60,
  nodeLostSeconds: 60,
};

let server: TestWorkflowEnvironment;
let control: Awaited<ReturnType<typeof controlWorker>>;
beforeAll(async () => {
  Runtime.install({ logger: new DefaultLogger("ERROR") });
  server = await localServer();
  control = await controlWorker();
});
afterAll(async () => {
  control?.kill("SIGKILL");
  await server?.teardown();
});

/** A process of its own, so that it can be killed. */
async function controlWorker() {
  const script = fileURLToPath(new URL("../fixtures/workers/control.ts", import.meta.url));
  const child = spawn(process.execPath, [script, server.address, prefix], { stdio: ["ignore", "pipe", "inherit"] });
  await Promise.race([
    once(child.stdout, "data"),
    once(child, "exit").then(([code]) => Promise.reject(new Error(`The control worker ended with ${code}`))),
  ]);
  return child;
}

/** Every 50th is dropped, every 77th fails; the last of a shard ends only when the next shard has begun, or with the test. `begun`: in that order. */
function conversing(world: World): { readonly begun: readonly number[]; readonly release: () => void } {
  const begun: number[] = [];
  const opened = new Set<number>();
  const waiting = new Map<number, () => void>();
  world.unit = async ({ unit }) => {
    begun.push(unit);
    const shard = Math.floor(unit / shardUnits);
    opened.add(shard);
    waiting.get(shard)?.();
    if (unit % shardUnits === shardUnits - 1 && shard < shards - 1 && !opened.has(shard + 1))
      await new Promise<void>((resolve) => waiting.set(shard + 1, resolve));
    if (isDropped(unit)) return { status: "dropped", reason: "near-copy", spend: done.spend };
    if (isFailed(unit)) throw failure("TurnFailed");
    return done;
  };
  return { begun, release: () => waiting.forEach((go) => go()) };
}
const isDropped = (unit: number) => unit % 50 === 49;
const isFailed = (unit: number) => unit % 77 === 76 && !isDropped(unit);

/** Ends once no conversation has begun for a second and a half. */
async function untilQuiet(begun: readonly number[]): Promise<void> {
  let before = -1;
  await until(
    async () => {
      const quiet = begun.length === before;
      before = begun.length;
      if (!quiet) await new Promise((resolve) => setTimeout(resolve, 1500));
      return quiet;
    },
    "a pause in which nothing begins",
    60_000,
  );
}

test(
  "10,000 conversations over 25 shards end whole: counts add up, histories stay short, a new window, a pause and the kill of the control worker in the middle are obeyed",
  // What goes wrong with 10,000 goes wrong again, and takes as long.
  { timeout: 400_000, retry: 0 },
  async () => {
    const world = new World();
    const { begun, release } = conversing(world);
    const llm = await Worker.create({
      connection: server.nativeConnection,
      namespace: "default",
      taskQueue: queues.llm,
      activities: stubs(world, queues).units,
      maxConcurrentActivityTaskExecutions: 400,
    });
    const running = llm.run();
    try {
      const { workflow } = server.client;
      const workflowId = `exp/${prefix}`;
      const run = { name: prefix, digest: "ab".repeat(32), config: ref("config.json"), epoch: "" };
      const input: ExperimentInput = { run, plan, queues, rehearsal: true, until: "converse" };
      const handle = await workflow.start("experiment", { workflowId, taskQueue: queues.control, args: [input] });
      const haveBegun = (share: number) =>
        until(() => begun.length >= share * conversations, `${share} of the conversations`, 150_000);

      await haveBegun(0.2);
      await handle.executeUpdate(messages.setWidth, { args: [{ window: 250 }] });
      await haveBegun(0.35);
      await handle.executeUpdate(messages.setWidth, { args: [{ window: narrow }] });
      await haveBegun(0.5);
      await handle.executeUpdate(messages.pause);
      const atPause = begun.length;
      await untilQuiet(begun);
      // What was open still begins and ends.
      expect(begun.length - atPause).toBeLessThanOrEqual(3 * narrow);
      expect((await progressOf(handle)).state).toBe("paused");
      await handle.executeUpdate(messages.resume);
      await haveBegun(0.6);
      await handle.executeUpdate(messages.setWidth, { args: [{ window: narrow / 2 }] });
      await haveBegun(0.7);
      control.kill("SIGKILL");
      control = await controlWorker();
      expect(await handle.result()).toMatchObject({ outcome: "stopped-after-stage" });

      const all = Array.from({ length: conversations }, (_, unit) => unit);
      const [dropped, failed] = [all.filter(isDropped).length, all.filter(isFailed).length];
      const batch = `${workflowId}/converse/one`;
      expect((await workflow.getHandle(batch).result()) as BatchResult).toEqual({
        counts: { done: conversations - dropped - failed, dropped: { "near-copy": dropped }, failed: { TurnFailed: failed } },
        spend: { calls: conversations - failed, reread: 0, usd: 0 },
      });
      // Each once: the killed worker's conversations went on without it.
      expect(begun.toSorted((a, b) => a - b)).toEqual(all);

      const sums = { events: 0, bytes: 0, again: 0 };
      const ofShards: Events[] = [];
      for (const id of [workflowId, batch, ...Array.from({ length: shards }, (_, n) => `${batch}/${n}`)]) {
        const { historyLength, historySize } = await workflow.getHandle(id).describe();
        // Where the server asks for a new history.
        expect(historyLength, id).toBeLessThan(4096);
        sums.events += historyLength;
        sums.bytes += historySize ?? 0;
        const events = (await workflow.getHandle(id).fetchHistory()).events ?? [];
        expect(
          events.filter((event) => event.workflowTaskStartedEventAttributes?.suggestContinueAsNew),
          id,
        ).toEqual([]);
        const again = events.flatMap(({ workflowTaskFailedEventAttributes: task }) => (task ? [task] : []));
        expect(
          again.filter(({ cause }) => !harmless.has(cause ?? 0)),
          id,
        ).toEqual([]);
        sums.again += again.length;
        if (!id.startsWith(`${batch}/`)) continue;
        expect(disobeyed(events), id).toEqual([]);
        ofShards.push(events);
      }
      expect(sums.events / conversations).toBeLessThan(5);
      expect(sums.bytes / conversations).toBeLessThan(4000);
      // Each costs its shard about a second; with all 400 open, four can come in a row.
      expect(sums.again).toBeLessThan(5 * shards);
      // Two windows of tails, and the next shard's.
      expect(mostOpen(ofShards)).toBeLessThanOrEqual(3 * window);
    } finally {
      release();
      llm.shutdown();
      await running;
    }
  },
);
