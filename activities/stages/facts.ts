import type { ModelRole } from "../../configs/schema/providers.ts";
import type { ResolvedExperiment } from "../../configs/schema/resolved.ts";

/** True when any role is played by the offline teacher: nothing made with it is evidence. */
export function isRehearsal({ experiment }: Pick<ResolvedExperiment, "experiment">): boolean {
  return Object.values(experiment.models).some(({ provider }) => experiment.providers[provider]?.rehearsal === true);
}

/** Model ids by role, as the providers answered them. */
export function modelsOf(
  { experiment, answeredModels }: ResolvedExperiment,
  roles: readonly ModelRole[],
): Record<string, string> {
  return Object.fromEntries(roles.map((role) => [role, answeredModels[role] ?? experiment.models[role].model]));
}
