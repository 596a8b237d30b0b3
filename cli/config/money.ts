import type { Experiment } from "../../configs/schema/experiment.ts";
import type { ModelRole } from "../../configs/schema/providers.ts";
import { unitStages } from "../../contract/stages.ts";
import { usageError } from "../errors.ts";

/** True when every role is played by the offline teacher. */
export function costsNothing({ models, providers }: Experiment): boolean {
  return Object.values(models).every(({ provider }) => providers[provider]?.rehearsal === true);
}

/** True when any role is: then nothing that comes out is evidence. */
export function isRehearsal({ models, providers }: Experiment): boolean {
  return Object.values(models).some(({ provider }) => providers[provider]?.rehearsal === true);
}

/**
 * A real API needs a cap, and a price for every model; where the absence of one is accepted, only a cap on calls can hold.
 * @throws CliError (exit 2)
 */
export function checkMoney(experiment: Experiment): void {
  if (costsNothing(experiment)) return;
  const { budget, models, providers } = experiment;
  if (budget.maxCalls === undefined && budget.maxCostUsd === undefined) {
    throw usageError("A real API is configured and nothing limits what it may cost: set budget.maxCalls or budget.maxCostUsd.");
  }
  const paid = (Object.keys(models) as ModelRole[]).filter((role) => providers[models[role].provider]?.rehearsal !== true);
  const unpriced = paid.filter((role) => models[role].price === undefined);
  if (unpriced.length === 0) return;
  const unknown = `No price is known for ${unpriced.map((role) => `models.${role} (${models[role].model})`).join(", ")}`;
  if (!budget.allowUnknownPrice) {
    throw usageError(
      `${unknown}: add price to it, or set budget.allowUnknownPrice, which shows costs as unknown and limits calls only.`,
    );
  }
  if (budget.maxCalls === undefined)
    throw usageError(`${unknown}, so budget.maxCostUsd can't hold the run: set budget.maxCalls, or add price.`);
  const inDollars = [
    ...(budget.maxCostUsd === undefined ? [] : ["budget.maxCostUsd"]),
    ...unitStages.flatMap((stage) =>
      budget.stages?.[stage]?.maxCostUsd === undefined ? [] : [`budget.stages.${stage}.maxCostUsd`],
    ),
  ];
  if (inDollars.length > 0)
    throw usageError(`${unknown}, so ${inDollars.join(" and ")} can't hold the run: leave it out, or add price.`);
}
