import type { ExperimentPlan } from "../../contract/experiment.ts";
import type { Allowance } from "../../contract/units.ts";
import type { ResolvedExperiment } from "./resolved.ts";
import { type WorstCase, worstCases } from "./worst-case.ts";

/** What the workflow must know of a configuration: counts, limits and what one conversation may spend. */
export function planFor({ experiment }: ResolvedExperiment): ExperimentPlan {
  const { converse, steer, evaluate, batch, budget, align, launcher } = experiment;
  const capped = budget.maxCalls !== undefined || budget.maxCostUsd !== undefined;
  const dearest = budget.maxCostUsd === undefined ? null : dearestPrice(experiment);
  const worst = worstCases(experiment);
  /** Calls of one conversation if every turn used all its samples, and what they would cost by the dearest model. */
  const allowance = ({ calls, inputTokens, outputTokens }: WorstCase): Allowance => {
    if (!capped) return { calls: null, usd: null };
    return { calls, usd: dearest === null ? null : (inputTokens * dearest.input + outputTokens * dearest.output) / 1_000_000 };
  };
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
      converse: allowance(worst.converse),
      steer: allowance(worst.steer),
      evaluate: allowance(worst.evaluate),
    },
    budget: { calls: budget.maxCalls ?? null, usd: budget.maxCostUsd ?? null },
    jobRestarts: launcher.restarts,
    nodeLostSeconds: launcher.nodeLostSeconds,
    jobDeadlineSeconds: align.deadlineSeconds,
  };
}

/** US dollars per million tokens at most, of the three models; null when a price is unknown. */
function dearestPrice({ models, providers }: ResolvedExperiment["experiment"]): { input: number; output: number } | null {
  const dearest = { input: 0, output: 0 };
  for (const { provider, price } of Object.values(models)) {
    if (providers[provider]?.rehearsal === true) continue;
    if (price === undefined) return null;
    dearest.input = Math.max(dearest.input, price.input);
    dearest.output = Math.max(dearest.output, price.output);
  }
  return dearest;
}
