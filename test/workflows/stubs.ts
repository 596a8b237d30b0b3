import { Context } from "@temporalio/activity";
import { ApplicationFailure, sleep } from "@temporalio/activity";
import type { ControlActivities, NodeActivities, PoolActivities, UnitActivities } from "../../contract/activities.ts";
import type { JobDraft, JobOutcome, JobRequest } from "../../contract/jobs.ts";
import type { Queues } from "../../contract/queues.ts";
import { nodeQueue } from "../../contract/queues.ts";
import type { Ref } from "../../contract/ref.ts";
import type { Stage, StageRecord } from "../../contract/stages.ts";
import type { UnitInput, UnitOutcome } from "../../contract/units.ts";

export const ref = (uri: string): Ref => ({ uri, sha256: "0".repeat(64), bytes: 1, rows: null });
export const done: UnitOutcome = { status: "done", spend: { calls: 1, reread: 0, usd: 0 } };

/** What the stubs saw, in order, and how a test bends them. */
export class World {
  readonly events: string[] = [];
  readonly records = new Map<string, StageRecord>();
  readonly claims = new Map<string, number>();
  readonly stopped: string[] = [];
  open = 0;
  mostOpen = 0;
  spendCalls = 0;
  readonly spendByStage: Record<string, number> = {};
  /** null: a call without a known price was recorded. */
  spendUsd: number | null = 0;
  clock = Date.now();
  unit: (input: UnitInput, signal: AbortSignal) => Promise<UnitOutcome> = async () => done;
  job: (request: JobRequest, signal: AbortSignal) => Promise<void> = async () => undefined;
  stage: (key: string) => Promise<void> = async () => undefined;
  /** Answered by the spend query beside what units spent. */
  facts: StageRecord["facts"] = {};

  note(event: string): void {
    this.events.push(event);
  }

  at(event: string): number {
    const index = this.events.indexOf(event);
    if (index < 0) throw new Error(`${event} never came; events: ${this.events.join(" | ")}`);
    return index;
  }
}

const outputsOf: Readonly<Record<string, readonly string[]>> = {
  converse: ["conversations"],
  steer: ["pairs"],
  reward: ["model"],
  align: ["adapter"],
  evaluate: ["rows"],
  report: ["results", "report"],
};

export function stubs(world: World, queues: Queues) {
  const record = async (key: string): Promise<StageRecord> => {
    await world.stage(key);
    const stage = key.split("/")[0] as Stage;
    const outputs = Object.fromEntries((outputsOf[stage] ?? []).map((name) => [name, ref(`${key}/${name}`)]));
    const made: StageRecord = {
      key,
      stage,
      outputs,
      counts: {},
      facts: stage === "report" ? { gapReduction: 0.5 } : {},
      codeVersion: "test",
      at: new Date((world.clock += 1000)).toISOString(),
    };
    world.records.set(key, made);
    world.note(`sealed ${key}`);
    return made;
  };
  const draft = (name: string): JobDraft => ({
    params: { kind: "score", encoder: { id: name, dir: "x", sha256: null }, scorers: [{ id: "a", path: "a" }] },
    files: [],
    seed: 1,
  });
  const serve: JobDraft = {
    params: {
      kind: "serve",
      base_model: { id: "b", dir: "x", sha256: null },
      base_name: "b",
      adapters: [],
      context_len: 512,
      parallel: 8,
    },
    files: [],
    seed: 1,
  };
  const control: ControlActivities = {
    findStage: async ({ key }) => world.records.get(key) ?? null,
    dropStage: async ({ key }) => {
      world.records.delete(key);
      world.note(`dropped ${key}`);
    },
    readSpend: async ({ byStage }) => ({
      calls: world.spendCalls,
      reread: 0,
      usd: world.spendUsd,
      ...(byStage === true
        ? {
            stages: Object.fromEntries(
              Object.entries(world.spendByStage).map(([stage, calls]) => [stage, { calls, reread: 0, usd: null }]),
            ),
          }
        : {}),
    }),
    measure: () => record("measure"),
    sealConversations: ({ context }) => record(`converse/${context}`),
    prepareReward: async ({ which }) => draft(which),
    sealReward: ({ which }) => record(`reward/${which}`),
    prepareGuideScore: async ({ context }) => draft(`guide ${context}`),
    gatePairs: ({ context }) => record(`steer/${context}`),
    preparePreference: async ({ context }) => draft(`preference ${context}`),
    sealPreference: ({ context }) => record(`reward/preference-${context}`),
    prepareAlign: async ({ context }) => draft(`align ${context}`),
    sealAdapter: ({ context, backbone }) => record(`align/${backbone}/${context}`),
    prepareServe: async () => serve,
    prepareEvaluationScore: async ({ backbone }) => draft(`score ${backbone}`),
    sealEvaluation: ({ backbone }) => record(`evaluate/${backbone}`),
    buildReport: () => record("report"),
    publish: async () => ({ published: [], reference: "set" }),
    openNight: async () => {
      throw new Error("a test gives its own night");
    },
    judgeNight: async ({ night }) => ({ verdict: "passed", night: night.night, details: null, regressed: [] }),
  };

  const unit = async (input: UnitInput): Promise<UnitOutcome> => {
    const { group } = input;
    const context = Context.current();
    const beat = setInterval(() => context.heartbeat(), 500);
    world.open += 1;
    world.mostOpen = Math.max(world.mostOpen, world.open);
    try {
      const outcome = await world.unit(input, context.cancellationSignal);
      world.spendCalls += outcome.spend.calls;
      world.spendByStage[group.stage] = (world.spendByStage[group.stage] ?? 0) + outcome.spend.calls;
      world.spendUsd = world.spendUsd === null || outcome.spend.usd === null ? null : world.spendUsd + outcome.spend.usd;
      world.note(`unit ${[group.stage, group.context, group.arm].filter(Boolean).join(" ")} ${input.unit}`);
      return outcome;
    } finally {
      clearInterval(beat);
      world.open -= 1;
    }
  };
  const units: UnitActivities = {
    converse: unit,
    steer: unit,
    evaluate: unit,
    awaitServing: async ({ afterGeneration }) => {
      if (afterGeneration > 0) await untilCancelled();
      return { endpoint: "http://127.0.0.1:1", generation: 1, models: [], weights: {}, engine: "stub" };
    },
  };

  const pool: PoolActivities = {
    claimNode: async ({ job, lostFence }) => {
      const fence = Math.max(world.claims.get(job) ?? 0, lostFence + 1);
      world.claims.set(job, fence);
      return { node: "n1", boot: "b", fence, queue: nodeQueue(queues.gpu, lostFence === 0 ? "n1" : "n2") };
    },
  };
  const node: Omit<NodeActivities, "stopJob"> = {
    runJob: async (request): Promise<JobOutcome> => {
      const name = request.job.split(".").slice(3).join(".");
      world.note(`job ${name} fence ${request.claim.fence}`);
      const context = Context.current();
      const beat = setInterval(() => context.heartbeat(), 200);
      try {
        await world.job(request, context.cancellationSignal);
      } finally {
        clearInterval(beat);
      }
      world.note(`ended ${name}`);
      return { job: request.job, fence: request.claim.fence, outputs: {}, metrics: {}, result: ref("result") };
    },
    keepServing: async () => {
      world.note("serving");
      await untilCancelled();
    },
  };
  const stop: Pick<NodeActivities, "stopJob"> = {
    stopJob: async ({ job }) => {
      const name = job.split(".").slice(3).join(".");
      world.stopped.push(name);
      world.note(`stopped ${name}`);
      return false;
    },
  };
  return { control, units, pool, node, stop };
}

/** Heartbeats until the attempt is cancelled, then throws its reason. */
export async function untilCancelled(): Promise<never> {
  const context = Context.current();
  for (;;) {
    context.heartbeat();
    await sleep(200);
  }
}

export function failure(type: string, ...details: unknown[]): ApplicationFailure {
  return ApplicationFailure.create({ type, message: `stub: ${type}`, nonRetryable: true, details });
}
