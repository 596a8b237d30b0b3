import type { ModelRole } from "../../configs/schema/providers.ts";
import type { ResolvedExperiment } from "../../configs/schema/resolved.ts";
import { stages } from "../../contract/stages.ts";
import { type AnsweredRole, answeredRoles } from "../../domain/answered-models.ts";
import { modelsOf } from "../stages/facts.ts";

/** Which models spoke as teacher, simulated user and judge. A student is asked for by its adapter's name, which the canary holds to account. */
export function answeredIn(config: ResolvedExperiment, ledger: Parameters<typeof answeredRoles>[0]): readonly AnsweredRole[] {
  const roles = Object.keys(config.experiment.models) as ModelRole[];
  return answeredRoles(ledger, modelsOf(config, roles), stages);
}
