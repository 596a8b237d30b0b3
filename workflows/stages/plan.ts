import type { ExperimentInput } from "../../contract/experiment.ts";
import { stageKey } from "../../contract/stages.ts";
import type { Stage } from "../../contract/stages.ts";
import { wants } from "./pieces.ts";

/** Every piece of the run in the method's order; `total` counts conversations, or is 1. */
export function piecesOf(input: ExperimentInput): readonly { key: string; stage: Stage; total: number }[] {
  const { contexts, backbones, conversations, evaluation, guided } = input.plan;
  const one = (stage: Stage, ...parts: readonly string[]) => ({ key: stageKey(stage, ...parts), stage, total: 1 });
  const many = (total: number, stage: Stage, part: string) => ({ key: stageKey(stage, part), stage, total });
  return [
    one("measure"),
    ...contexts.map((context) => many(conversations, "converse", context)),
    ...contexts.map((context) => many(conversations, "steer", context)),
    ...(guided && wants(input, "steer") ? [one("reward", "guide")] : []),
    ...(wants(input, "reward")
      ? [one("reward", "evaluator"), ...contexts.map((context) => one("reward", `preference-${context}`))]
      : []),
    ...backbones.flatMap((backbone) => contexts.map((context) => one("align", backbone, context))),
    ...backbones.map((backbone) =>
      many(evaluation.conversations * contexts.length * evaluation.arms.length, "evaluate", backbone),
    ),
    one("report"),
  ].filter(({ key, stage }) => key === "reward/guide" || wants(input, stage));
}
