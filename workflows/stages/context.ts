import type { StageRecord, UnitStage } from "../../contract/stages.ts";
import { stageKey } from "../../contract/stages.ts";
import type { Ref } from "../../contract/ref.ts";
import { control } from "../activities.ts";
import { allOf } from "../all-of.ts";
import { attributes } from "../attributes.ts";
import { batch } from "../batch.ts";
import { runJobToEnd } from "../jobs.ts";
import { output } from "./outputs.ts";
import { childId, piece, wants } from "./pieces.ts";
import type { Tree } from "./pieces.ts";

/** What a context ends with: its preference model and an adapter per backbone, as far as the run goes. */
export interface ContextPieces {
  readonly preference: StageRecord | null;
  readonly adapters: Readonly<Record<string, StageRecord>>;
}

/** One context from its first conversation to its adapters; it waits for no other context. */
export async function contextPipeline(
  tree: Tree,
  context: string,
  { measured, guide }: { measured: Promise<StageRecord>; guide: Promise<StageRecord> | null },
): Promise<ContextPieces> {
  const { input } = tree;
  await measured;
  const none: ContextPieces = { preference: null, adapters: {} };
  if (!wants(input, "converse")) return none;
  const conversations = output(await converse(tree, context), "conversations");
  if (!wants(input, "steer")) return none;
  const pairs = output(await steer(tree, context, conversations, guide), "pairs");
  const [preference, adapters] = await allOf([
    wants(input, "reward") ? preferenceModel(tree, context, pairs) : Promise.resolve(null),
    wants(input, "align") ? align(tree, context, pairs) : Promise.resolve({}),
  ]);
  return { preference, adapters };
}

function converse(tree: Tree, context: string): Promise<StageRecord> {
  const { run, queues } = tree.input;
  return piece(tree, stageKey("converse", context), async () => {
    await runUnits(tree, "converse", context, tree.input.plan.conversations, {});
    return control(queues.control, `conversations of ${context}`).sealConversations({ run, context });
  });
}

function steer(tree: Tree, context: string, conversations: Ref, guide: Promise<StageRecord> | null): Promise<StageRecord> {
  const { run, queues } = tree.input;
  const key = stageKey("steer", context);
  return piece(tree, key, async () => {
    await runUnits(tree, "steer", context, conversations.rows ?? 0, { conversations });
    if (guide === null) return control(queues.control, `pairs of ${context}`).gatePairs({ run, context, scores: null });
    const model = output(await guide, "model");
    const draft = await control(queues.control, `what the guide scores of ${context}`).prepareGuideScore({
      run,
      context,
      guide: model,
    });
    const scores = await runJobToEnd(tree.owner, `${key}/score`, draft);
    return control(queues.control, `pairs of ${context}`).gatePairs({ run, context, scores });
  });
}

function preferenceModel(tree: Tree, context: string, pairs: Ref): Promise<StageRecord> {
  const { run, queues } = tree.input;
  const key = stageKey("reward", `preference-${context}`);
  return piece(tree, key, async () => {
    const draft = await control(queues.control, `preference data of ${context}`).preparePreference({ run, context, pairs });
    const job = await runJobToEnd(tree.owner, key, draft);
    return control(queues.control, `preference model of ${context}`).sealPreference({ run, context, job });
  });
}

async function align(tree: Tree, context: string, pairs: Ref): Promise<Record<string, StageRecord>> {
  const { run, queues, plan } = tree.input;
  const adapters = await allOf(
    plan.backbones.map((backbone) => {
      const key = stageKey("align", backbone, context);
      return piece(tree, key, async () => {
        const draft = await control(queues.control, `training data of ${context}`).prepareAlign({
          run,
          context,
          backbone,
          pairs,
        });
        const job = await runJobToEnd(tree.owner, key, draft);
        return control(queues.control, `adapter for ${context}`).sealAdapter({ run, context, backbone, pairs, job });
      });
    }),
  );
  return Object.fromEntries(
    plan.backbones.flatMap((backbone, i) => (adapters[i] === undefined ? [] : [[backbone, adapters[i]]])),
  );
}

async function runUnits(
  tree: Tree,
  stage: Exclude<UnitStage, "evaluate">,
  context: string,
  units: number,
  inputs: Readonly<Record<string, Ref>>,
): Promise<void> {
  const { director, input } = tree;
  const { run, queues, plan } = input;
  await director.team.run(batch, {
    id: childId(stage, context),
    unit: plan.allowance[stage],
    input: (orders) => ({
      run,
      queues,
      group: { stage, context },
      units,
      window: orders.window ?? plan.window,
      minKeptShare: plan.minKeptShare,
      stallHoldMs: plan.stallHoldMs,
      sampleLimit: Math.max(plan.sampleLimit[stage], orders.sampleLimit ?? 0),
      allowance: plan.allowance[stage],
      unlimited: !director.caps(stage),
      paused: orders.paused,
      inputs,
    }),
    staticSummary: `${stage}, ${context}`,
    typedSearchAttributes: [
      { key: attributes.experiment, value: run.name },
      { key: attributes.stage, value: stage },
      { key: attributes.context, value: context },
    ],
  });
}
