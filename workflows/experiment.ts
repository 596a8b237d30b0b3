import {
  allHandlersFinished,
  ApplicationFailure,
  CancellationScope,
  condition,
  isCancellation,
  patched,
  setHandler,
  upsertSearchAttributes,
} from "@temporalio/workflow";
import type { ExperimentInput, ExperimentResult } from "../contract/experiment.ts";
import { unitStages } from "../contract/stages.ts";
import type { StageRecord, UnitStage } from "../contract/stages.ts";
import { control } from "./activities.ts";
import { allOf } from "./all-of.ts";
import { attributes } from "./attributes.ts";
import { Board } from "./board.ts";
import { Director } from "./director.ts";
import { progressQuery } from "./signals.ts";
import { contextPipeline } from "./stages/context.ts";
import type { ContextPieces } from "./stages/context.ts";
import { evaluateAll } from "./stages/evaluate.ts";
import { output } from "./stages/outputs.ts";
import { childId, piece, wants } from "./stages/pieces.ts";
import type { Tree } from "./stages/pieces.ts";
import { piecesOf } from "./stages/plan.ts";
import { genericModel } from "./stages/reward.ts";

/** The whole run of an experiment: measure → converse → steer → reward, align → evaluate → report. Contexts don't wait for each other. */
export async function experiment(input: ExperimentInput): Promise<ExperimentResult> {
  const { run, queues, plan } = input;
  const keys = childKeys(input);
  const director: Director = new Director({
    run,
    controlQueue: queues.control,
    budget: plan.budget,
    stageBudgets: plan.stageBudgets,
    stageOf: ({ id }) => stageOfPiece(keys.get(id)),
    window: plan.window,
    leastSamples: Math.min(...Object.values(plan.sampleLimit)),
    changed: () => board.show(),
  });
  const board = new Board(piecesOf(input), () => ({
    state: director.state,
    hold: director.hold,
    spend: director.spend,
    budget: director.budget,
    stageBudgets: director.stageBudgets,
  }));
  director.listen((member) => board.counted(keys.get(member.id) ?? "", member));
  setHandler(progressQuery, () => board.progress);

  const tree: Tree = {
    input,
    director,
    board,
    owner: { run, queues, plan, gate: () => director.gate(), mayStart: () => director.state === "running" },
    failed: new Map(),
  };
  const budget = new CancellationScope();
  const budgeting = budget.run(() => director.keepBudget());
  budgeting.catch(() => undefined);
  try {
    await director.refreshSpend();
    const result = await grow(tree);
    await director.refreshSpend();
    return result;
  } catch (error) {
    if (isCancellation(error) || tree.failed.size === 0) throw error;
    throw summed(tree.failed, error);
  } finally {
    budget.cancel();
    await condition(allHandlersFinished);
  }
}

async function grow(tree: Tree): Promise<ExperimentResult> {
  const { input } = tree;
  const { run, queues, plan } = input;
  const stopped: ExperimentResult = { outcome: "stopped-after-stage", results: null, report: null, gapReduction: null };

  const measured = later(piece(tree, "measure", () => control(queues.control, "desired levels").measure({ run })));
  const guide = plan.guided && wants(input, "steer") ? later(genericModel(tree, "guide")) : null;
  const evaluating = wants(input, "reward") ? later(genericModel(tree, "evaluator")) : null;
  const contexts = plan.contexts.map((context) => contextPipeline(tree, context, { measured, guide }));
  const [, , evaluator, ...byContext] = await allOf([measured, guide, evaluating, ...contexts] as const);
  if (!wants(input, "evaluate") || evaluator === null) return stopped;

  const pieces = Object.fromEntries(
    plan.contexts.map((context, i): [string, ContextPieces] => [context, byContext[i] ?? { preference: null, adapters: {} }]),
  );
  const evaluations = await evaluateAll(tree, evaluator, pieces);
  if (!wants(input, "report")) return stopped;

  const report = await piece(
    tree,
    "report",
    () => control(queues.control, "results and report").buildReport({ run }),
    evaluations,
  );
  if (tree.director.state !== "running" && patched("gate-before-publish")) await tree.director.gate();
  await control(queues.control, "experts and reference").publish({ run });
  const gapReduction = gapReductionOf(report);
  upsertSearchAttributes([{ key: attributes.gapReduction, value: gapReduction }]);
  return { outcome: "finished", results: output(report, "results"), report: output(report, "report"), gapReduction };
}

/** Which piece a child works for. */
function childKeys({ plan }: ExperimentInput): Map<string, string> {
  return new Map([
    ...plan.contexts.flatMap((context) =>
      (["converse", "steer"] as const).map((stage): [string, string] => [childId(stage, context), `${stage}/${context}`]),
    ),
    ...plan.backbones.map((backbone): [string, string] => [childId("eval", backbone), `evaluate/${backbone}`]),
  ]);
}

function stageOfPiece(key: string | undefined): UnitStage | null {
  return unitStages.find((stage) => key?.startsWith(`${stage}/`) === true) ?? null;
}

/** A piece that others wait for, or nobody yet: its failure is seen by whoever awaits it. */
function later(promise: Promise<StageRecord>): Promise<StageRecord> {
  promise.catch(() => undefined);
  return promise;
}

function gapReductionOf({ facts }: StageRecord): number | null {
  const value = facts["gapReduction"];
  return typeof value === "number" ? value : null;
}

function summed(failed: ReadonlyMap<string, string>, cause: unknown): ApplicationFailure {
  const reasons = [...failed].map(([key, reason]) => `${key}: ${reason}`).join("\n");
  return ApplicationFailure.create({
    type: "PiecesFailed",
    message: `${failed.size} of the run's pieces failed. What is done is kept: mend the cause and run the same command again.\n${reasons}`,
    nonRetryable: true,
    ...(cause instanceof Error ? { cause } : {}),
  });
}
