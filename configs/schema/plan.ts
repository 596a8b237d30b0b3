import type { ExperimentPlan } from "../../contract/experiment.ts";
import { type UnitStage, unitStages } from "../../contract/stages.ts";
import type { Allowance } from "../../contract/units.ts";
import type { ResolvedExperiment } from "./resolved.ts";
import { type WorstCase, worstCases } from "./worst-case.ts";

/** What the workflow must know of a configuration: counts, limits and what one conversation may spend. */
export function planFor({ experiment }: ResolvedExperiment): ExperimentPlan {
  const { converse, steer, evaluate, batch, budget, align, launcher } = experiment;
  const stageBudgets = stageCaps(budget);
  const dearest = inDollars(budget) ? dearestPrice(experiment) : null;
  const worst = worstCases(experiment);
  /** Calls of one conversation if every turn used all its samples, and what they would cost by the dearest model. */
  const allowance = (stage: UnitStage): Allowance => {
    const { calls, inputTokens, outputTokens }: WorstCase = worst[stage];
    if (!limits(budget) && stageBudgets[stage] === undefined) return { calls: null, usd: null };
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
      converse: allowance("converse"),
      steer: allowance("steer"),
      evaluate: allowance("evaluate"),
    },
    budget: capOf(budget),
    stageBudgets,
    jobRestarts: launcher.restarts,
    nodeLostSeconds: launcher.nodeLostSeconds,
    jobDeadlineSeconds: align.deadlineSeconds,
  };
}

type Budget = ResolvedExperiment["experiment"]["budget"];
type Cap = Pick<Budget, "maxCalls" | "maxCostUsd">;

const limits = ({ maxCalls, maxCostUsd }: Cap): boolean => maxCalls !== undefined || maxCostUsd !== undefined;
const capOf = ({ maxCalls, maxCostUsd }: Cap): Allowance => ({ calls: maxCalls ?? null, usd: maxCostUsd ?? null });

function stageCaps({ stages = {} }: Budget): Partial<Record<UnitStage, Allowance>> {
  return Object.fromEntries(
    unitStages.flatMap((stage) => {
      const cap = stages[stage];
      return cap === undefined || !limits(cap) ? [] : [[stage, capOf(cap)]];
    }),
  );
}

/** True where any cap is in dollars. */
function inDollars(budget: Budget): boolean {
  return [budget, ...Object.values(budget.stages ?? {})].some((cap) => cap?.maxCostUsd !== undefined);
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
