import type { ExperimentPlan } from "../../contract/experiment.ts";
import type { Allowance } from "../../contract/units.ts";
import type { ResolvedExperiment } from "./resolved.ts";

/** What the workflow must know of a configuration: counts, limits and what one conversation may spend. */
export function planFor({ experiment }: ResolvedExperiment): ExperimentPlan {
  const { converse, steer, evaluate, batch, budget, align, launcher } = experiment;
  const capped = budget.maxCalls !== undefined || budget.maxCostUsd !== undefined;
  const perCall = budget.maxCostUsd === undefined ? null : dearestCall(experiment);
  /** Calls of one conversation if every turn used all its samples, and what they would cost by the dearest model. */
  const allowance = (calls: number): Allowance =>
    capped ? { calls, usd: perCall === null ? null : calls * perCall } : { calls: null, usd: null };
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

/** Tokens of prompt and rubric beside the conversation, and of a judge's answer: generous, since they only reserve. */
const promptTokens = 1500;
const answerTokens = 400;

/** US dollars of one call at most, by the dearest of the three models; null when a price is unknown. */
function dearestCall({ models, providers, converse, evaluate }: ResolvedExperiment["experiment"]): number | null {
  const turns = Math.max(converse.turns, evaluate.turns);
  const input = promptTokens + 2 * turns * Math.max(converse.maxTokens, evaluate.maxNewTokens);
  const output = Math.max(converse.maxTokens, answerTokens);
  let dearest = 0;
  for (const { provider, price } of Object.values(models)) {
    if (providers[provider]?.rehearsal === true) continue;
    if (price === undefined) return null;
    dearest = Math.max(dearest, (input * price.input + output * price.output) / 1_000_000);
  }
  return dearest;
}
