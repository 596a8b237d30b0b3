import type { ExperimentPlan } from "../contract/experiment.ts";
import type { Orders } from "./team.ts";

/** The plan with what was ordered before a child starts that reads it: a child hears only later orders. */
export function ordered(plan: ExperimentPlan, { window, sampleLimit = 0 }: Orders): ExperimentPlan {
  const evaluate = Math.max(plan.sampleLimit.evaluate, sampleLimit);
  return { ...plan, window: window ?? plan.window, sampleLimit: { ...plan.sampleLimit, evaluate } };
}
