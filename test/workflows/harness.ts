import { randomUUID } from "node:crypto";
import { fileURLToPath } from "node:url";
import type { WorkflowHandle } from "@temporalio/client";
import type { TestWorkflowEnvironment } from "@temporalio/testing";
import { bundleWorkflowCode, DefaultLogger, Runtime, Worker } from "@temporalio/worker";
import type { WorkflowBundleWithSourceMap } from "@temporalio/worker";
import type { Night } from "../../contract/activities.ts";
import type { ExperimentInput, ExperimentPlan, ExperimentResult, Progress } from "../../contract/experiment.ts";
import { nodeQueue, queuesFor, stopQueue } from "../../contract/queues.ts";
import type { Queues } from "../../contract/queues.ts";
import { localServer } from "../support/temporal.ts";
import { ref, stubs, World } from "./stubs.ts";

const digest = "ab".repeat(32);

const basePlan: ExperimentPlan = {
  contexts: ["one", "two"],
  backbones: ["small"],
  conversations: 4,
  guided: true,
  evaluation: { split: "test", conversations: 2, arms: ["baseline", "adapter"] },
  window: 3,
  minKeptShare: 0.5,
  stallHoldMs: 600_000,
  sampleLimit: { converse: 2, steer: 2, evaluate: 2 },
  allowance: { converse: { calls: 2, usd: null }, steer: { calls: 2, usd: null }, evaluate: { calls: 2, usd: null } },
  budget: { calls: null, usd: null },
  jobRestarts: 2,
  jobDeadlineSeconds: 60,
  nodeLostSeconds: 60,
};

/** What a night of two experts of one backbone evaluates. */
export function nightWith({ experiment, night }: { readonly experiment: string; readonly night: string }): Night {
  return {
    run: { name: experiment, digest, config: ref("config"), epoch: night },
    plan: { ...basePlan, evaluation: { ...basePlan.evaluation, arms: ["adapter"] } },
    night,
    adapters: { small: { one: ref("a"), two: ref("b") } },
    scorers: { evaluator: ref("e") },
    reference: ref("reference"),
  };
}

/** A run of the real workflows over stub activities. */
export interface Stage {
  readonly world: World;
  readonly input: ExperimentInput;
  readonly workflowId: string;
  /** Starts the workers of a test that is to begin without any. */
  bringWorkers(): Promise<void>;
  start(): Promise<WorkflowHandle<(input: ExperimentInput) => Promise<ExperimentResult>>>;
}

let server: TestWorkflowEnvironment;
let bundle: WorkflowBundleWithSourceMap;

/** `serverArgs`: of the dev server, beside its own. */
export async function setUpWith(...serverArgs: readonly string[]): Promise<void> {
  Runtime.install({ logger: new DefaultLogger("ERROR") });
  server = await localServer(serverArgs);
  bundle = await bundleWorkflowCode({
    workflowsPath: fileURLToPath(new URL("../../workflows/index.ts", import.meta.url)),
    logger: new DefaultLogger("ERROR"),
  });
}

export const setUp = () => setUpWith();

export async function tearDown(): Promise<void> {
  await server?.teardown();
}

export const client = () => server.client;

/** Runs `test` with a worker for every queue; a queue prefix and a run name of its own keep tests apart. */
export async function onStage(
  plan: Partial<ExperimentPlan>,
  test: (stage: Stage) => Promise<void>,
  more: Partial<ExperimentInput> & {
    nodes?: readonly string[];
    bend?: (made: ReturnType<typeof stubs>, queues: Queues) => void;
    /** No worker is up until the test brings them. */
    workersLater?: boolean;
  } = {},
): Promise<void> {
  const { nodes = ["n1"], bend, workersLater = false, ...rest } = more;
  const name = `t${randomUUID().slice(0, 8)}`;
  const queues = queuesFor(name);
  const world = new World();
  const made = stubs(world, queues);
  bend?.(made, queues);
  const input: ExperimentInput = {
    run: { name, digest, config: ref("config.json"), epoch: "" },
    plan: { ...basePlan, ...plan },
    queues,
    rehearsal: true,
    ...rest,
  };
  const workflowId = `exp/${name}/${digest.slice(0, 12)}`;
  const workers: Worker[] = [];
  const running: Promise<void>[] = [];
  const bringWorkers = async () => {
    const brought = await startWorkers(made, queues, nodes);
    workers.push(...brought);
    running.push(...brought.map((worker) => worker.run()));
  };
  if (!workersLater) await bringWorkers();
  try {
    await test({
      world,
      input,
      workflowId,
      bringWorkers,
      start: () =>
        server.client.workflow.start<(input: ExperimentInput) => Promise<ExperimentResult>>("experiment", {
          workflowId,
          taskQueue: queues.control,
          args: [input],
        }),
    });
  } finally {
    for (const { status } of [
      await server.client.workflow
        .getHandle(workflowId)
        .describe()
        .catch(() => ({ status: { name: "none" } })),
    ]) {
      if (status.name === "RUNNING")
        await server.client.workflow
          .getHandle(workflowId)
          .terminate("the test is over")
          .catch(() => undefined);
    }
    workers.forEach((worker) => worker.shutdown());
    await Promise.all(running);
  }
}

async function startWorkers(
  made: ReturnType<typeof stubs>,
  queues: Queues,
  nodes: readonly string[],
): Promise<readonly Worker[]> {
  const base = {
    connection: server.nativeConnection,
    namespace: "default",
    shutdownGraceTime: "100ms",
    shutdownForceTime: "5s",
    maxHeartbeatThrottleInterval: "200ms",
  } as const;
  return Promise.all([
    Worker.create({ ...base, taskQueue: queues.control, workflowBundle: bundle, activities: made.control }),
    Worker.create({ ...base, taskQueue: queues.llm, activities: made.units }),
    Worker.create({ ...base, taskQueue: queues.gpu, activities: made.pool }),
    ...nodes.map((name) => Worker.create({ ...base, taskQueue: nodeQueue(queues.gpu, name), activities: made.node })),
    ...["n1", "n2"].map((name) =>
      Worker.create({ ...base, taskQueue: stopQueue(nodeQueue(queues.gpu, name)), activities: made.stop }),
    ),
  ]);
}

/** Polls until `check` answers something. */
export async function until<T>(
  check: () => Promise<T | null | undefined | false> | T | null | undefined | false,
  what: string,
  limitMs = 20_000,
): Promise<T> {
  for (const end = Date.now() + limitMs; ;) {
    const found = await check();
    if (found !== null && found !== undefined && found !== false) return found;
    if (Date.now() > end) throw new Error(`Waited in vain for ${what}`);
    await new Promise((resolve) => setTimeout(resolve, 100));
  }
}

export function progressOf(handle: Pick<WorkflowHandle, "query">): Promise<Progress> {
  return handle.query<Progress>("progress");
}

/** Waits for a hold and returns it. */
export function heldFor(handle: Pick<WorkflowHandle, "query">, reason: string): Promise<Progress> {
  return until(async () => {
    const progress = await progressOf(handle);
    return progress.state === "held" && progress.hold?.reason === reason ? progress : null;
  }, `a hold for ${reason}`);
}

/** The hold reaches the other contexts through the run, so a conversation or two may still start; after that, none. */
export async function staysQuiet(world: World): Promise<void> {
  const pause = (ms: number) => new Promise((resolve) => setTimeout(resolve, ms));
  await pause(1500);
  await until(() => world.open === 0, "open conversations to end");
  const before = world.events.length;
  await pause(1500);
  if (world.events.length !== before) throw new Error(`Not quiet: ${world.events.slice(before).join(" | ")}`);
}
