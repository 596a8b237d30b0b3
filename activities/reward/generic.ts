import type { JobDraft, JobOutcome } from "../../contract/jobs.ts";
import type { StageRecord } from "../../contract/stages.ts";
import { stageKey } from "../../contract/stages.ts";
import type { RunRef } from "../../contract/units.ts";
import { encoderWeights, jobSeed } from "../jobs/draft.ts";
import { writeStageRecord } from "../stages/records.ts";
import { storeModel } from "./model.ts";
import type { JobDeps } from "../jobs/node.ts";

/** `guide` takes part in making the pairs, `evaluator` in nothing but the evaluation: they share neither labels nor seed. */
export type GenericModel = "guide" | "evaluator";

export async function prepareReward(deps: JobDeps, { run, which }: { run: RunRef; which: GenericModel }): Promise<JobDraft> {
  const config = await deps.config(run);
  const { reward } = config.experiment;
  const { guideLabels, evaluatorLabels, anchors } = config.inputs;
  return {
    params: {
      kind: "reward",
      encoder: encoderWeights(config),
      freeze_encoder: reward.freezeEncoder,
      validation_share: reward.validationShare,
    },
    files: [
      { path: "data/train.jsonl", ref: which === "guide" ? guideLabels : evaluatorLabels },
      { path: "data/test.jsonl", ref: anchors },
    ],
    seed: jobSeed(config, "reward", which),
  };
}

/** Measures of the model on the anchors, as the report's table of measures reads them. */
export async function sealReward(
  deps: JobDeps,
  { run, which, job }: { run: RunRef; which: GenericModel; job: JobOutcome },
): Promise<StageRecord> {
  const model = await storeModel(deps, run, which, job);
  const metric = (name: string) => job.metrics[name] ?? null;
  return writeStageRecord(deps, run, {
    key: stageKey("reward", which),
    stage: "reward",
    outputs: { model, result: job.result },
    counts: counted({ train: metric("n"), anchors: metric("overall.n") }),
    facts: {
      n: metric("overall.n"),
      mae: metric("overall.mae.value"),
      mse: metric("overall.mse.value"),
      pearson: metric("overall.pearson.value"),
      spearman: metric("overall.spearman.value"),
      accuracy5: metric("overall.accuracy5.value"),
      calibrationSlope: metric("overall.calibration_slope.value"),
      calibrationIntercept: metric("overall.calibration_intercept.value"),
      meanPredictorMae: metric("mean_predictor.mae.value"),
      lengthOnlyMae: metric("length_only.mae.value"),
      featureSet: metric("feature_set"),
      // Text of the kind that an evaluation scores.
      studentN: metric("by_kind.student.n"),
      studentMae: metric("by_kind.student.mae.value"),
      studentSpearman: metric("by_kind.student.spearman.value"),
      studentCalibrationSlope: metric("by_kind.student.calibration_slope.value"),
    },
  });
}

/** Those of the numbers that the trainer gave: a missing one is absent, not 0. */
export function counted(numbers: Readonly<Record<string, number | string | boolean | null>>): Record<string, number> {
  return Object.fromEntries(Object.entries(numbers).filter((entry): entry is [string, number] => typeof entry[1] === "number"));
}
