import type { ExperimentPlan } from "../../contract/experiment.ts";
import type { Allowance } from "../../contract/units.ts";
import type { ResolvedExperiment } from "./resolved.ts";

/** What the workflow must know of a configuration: counts, limits and what one conversation may spend. */
export function planFor({ experiment }: ResolvedExperiment): ExperimentPlan {
  const { converse, steer, evaluate, batch, budget, align, launcher } = experiment;
  const capped = budget.maxCalls !== undefined || budget.maxCostUsd !== undefined;
  /** Calls of one conversation if every turn used all its samples. */
  const allowance = (calls: number): Allowance => (capped ? { calls, usd: null } : { calls: null, usd: null });
  return {
    contexts: experiment.contexts,
    backbones: experiment.backbones.map((b) => b.id),
    conversations: converse.conversations,
    guided: steer.guidance === "judge+rm",
    evaluation: { split: evaluate.split, conversations: evaluate.conversations, arms: evaluate.arms },
    window: batch.window,
    minKeptShare: batch.minKeptShare,
    stallHoldMs: batch.stallHoldSeconds * 1000,
    sampleLimit: { converse: converse.sampleLimit, steer: steer.sampleLimit, evaluate: evaluate.sampleLimit },
    allowance: {
      converse: allowance((1 + 2 * converse.turns) * converse.sampleLimit),
      steer: allowance(2 * converse.turns * (1 + steer.judgeRuns) * steer.sampleLimit),
      evaluate: allowance((1 + evaluate.turns * (2 + evaluate.judgeRuns)) * evaluate.sampleLimit),
    },
    budget: { calls: budget.maxCalls ?? null, usd: budget.maxCostUsd ?? null },
    jobRestarts: launcher.restarts,
    nodeLostSeconds: launcher.nodeLostSeconds,
    jobDeadlineSeconds: align.deadlineSeconds,
  };
}
