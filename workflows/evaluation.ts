import { CancellationScope, condition, upsertSearchAttributes, workflowInfo } from "@temporalio/workflow";
import type { JobDraft } from "../contract/jobs.ts";
import type { EvaluationInput } from "../contract/experiment.ts";
import type { StageRecord } from "../contract/stages.ts";
import { control, servingWatch } from "./activities.ts";
import { allOf } from "./all-of.ts";
import { attributes } from "./attributes.ts";
import { batch } from "./batch.ts";
import { settled } from "./counts.ts";
import { keepServingUp, nameOf, runJobToEnd } from "./jobs.ts";
import type { JobOwner } from "./jobs.ts";
import { Relay } from "./relay.ts";
import { groupByAdapter } from "./stages/arms.ts";
import type { Batched } from "./stages/arms.ts";

/** Batches side by side; of one adapter, so that LoRAs don't mix. */
const sideBySide = 2;

/** Serves a backbone and its adapters, rolls out every context and arm, and scores them once the server is gone: one GPU must do for both. */
export async function evaluation(input: EvaluationInput): Promise<StageRecord> {
  const { run, queues, plan, backbone, adapters, scorers } = input;
  const units = plan.evaluation.conversations * plan.contexts.length * plan.evaluation.arms.length;
  let shown = 0;
  const relay = new Relay({
    orders: { paused: input.paused },
    total: units,
    onReport: () => {
      const done = settled(relay.counts);
      if (done - shown < units / 10) return;
      shown = done;
      upsertSearchAttributes([{ key: attributes.done, value: done }]);
    },
  });
  relay.listen();
  const owner: JobOwner = { run, queues, plan, gate: () => condition(() => !relay.paused), mayStart: () => !relay.paused };

  const draft = await control(queues.control, `server for ${backbone}`).prepareServe({ run, backbone, adapters });
  await serveWhile(owner, draft, () => rollOut(input, relay, parallelOf(draft)));
  const evaluated = { run, backbone, adapters, arms: plan.evaluation.arms };
  const score = await control(queues.control, `what to score of ${backbone}`).prepareEvaluationScore({ ...evaluated, scorers });
  const job = await runJobToEnd(owner, "score", score);
  return control(queues.control, `scores of ${backbone}`).sealEvaluation({ ...evaluated, job });
}

/** The server runs beside `work` and ends with it, whatever happens. Every generation of it passes a canary, or the work stops. */
async function serveWhile(owner: JobOwner, draft: JobDraft, work: () => Promise<void>): Promise<void> {
  const server = new CancellationScope();
  const rest = new CancellationScope();
  const serving = server.run(() => keepServingUp(owner, "serve", draft));
  const begun: Promise<unknown>[] = [];
  const working = rest.run(async () => {
    const first = await awaitServing(owner, 0);
    begun.push(work(), watchGenerations(owner, first));
    await Promise.race(begun);
  });
  try {
    await Promise.race([working, serving]);
  } finally {
    rest.cancel();
    await Promise.allSettled([working]);
    await Promise.allSettled(begun);
    server.cancel();
    await Promise.allSettled([serving]);
  }
}

async function awaitServing({ run, queues }: JobOwner, afterGeneration: number): Promise<number> {
  const summary = afterGeneration === 0 ? "server answers, canary" : `canary of what follows generation ${afterGeneration}`;
  const { generation } = await servingWatch(queues.llm, summary).awaitServing({ run, serving: nameOf("serve"), afterGeneration });
  return generation;
}

async function watchGenerations(owner: JobOwner, first: number): Promise<never> {
  for (let generation = first; ;) generation = await awaitServing(owner, generation);
}

/** All batches, adapter by adapter. About as many conversations are open as the server decodes side by side: more would evict each other's cache. */
async function rollOut(input: EvaluationInput, relay: Relay, parallel: number): Promise<void> {
  const { contexts, evaluation: settings } = input.plan;
  for (const group of groupByAdapter(contexts, settings.arms)) {
    const waiting = [...group];
    const lanes = Math.min(sideBySide, group.length);
    const window = Math.max(1, Math.min(input.plan.window, Math.ceil(parallel / lanes)));
    relay.mostWindow = window;
    const lane = async (): Promise<void> => {
      for (let next = waiting.shift(); next !== undefined; next = waiting.shift()) await runBatch(input, relay, next, window);
    };
    await allOf(Array.from({ length: lanes }, lane));
  }
}

async function runBatch(input: EvaluationInput, relay: Relay, { context, arm }: Batched, window: number): Promise<void> {
  const { run, queues, plan, backbone } = input;
  const { split, conversations } = plan.evaluation;
  const id = `${workflowInfo().workflowId}/${context}/${arm}`;
  const result = await relay.team.run(batch, {
    id,
    unit: plan.allowance.evaluate,
    input: (orders) => ({
      run,
      queues,
      group: { stage: "evaluate" as const, context, backbone, arm, split },
      units: conversations,
      window: Math.min(window, orders.window ?? window),
      minKeptShare: plan.minKeptShare,
      stallHoldMs: plan.stallHoldMs,
      sampleLimit: Math.max(plan.sampleLimit.evaluate, orders.sampleLimit ?? 0),
      allowance: plan.allowance.evaluate,
      unlimited: input.unlimited,
      paused: relay.paused,
      inputs: input.adapters,
      serving: nameOf("serve"),
    }),
    staticSummary: `${context}, ${arm} of ${backbone}`,
    typedSearchAttributes: [
      { key: attributes.experiment, value: run.name },
      { key: attributes.stage, value: "evaluate" },
      { key: attributes.context, value: context },
      { key: attributes.backbone, value: backbone },
    ],
  });
  relay.settle(id, result);
}

function parallelOf({ params }: JobDraft): number {
  return params.kind === "serve" ? params.parallel : 1;
}
