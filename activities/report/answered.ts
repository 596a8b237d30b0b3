import type { ModelRole } from "../../configs/schema/providers.ts";
import { stages } from "../../contract/stages.ts";
import type { RunRef } from "../../contract/units.ts";
import { type AnsweredRole, answeredRoles } from "../../domain/answered-models.ts";
import { withFingerprints } from "../../domain/fingerprints.ts";
import type { Deps } from "../deps.ts";
import { modelsOf } from "../stages/facts.ts";
import { ledgerRun } from "../stages/records.ts";

/**
 * Which models spoke as teacher, simulated user and judge, and under which fingerprints. A student is asked for by its adapter's name, which the canary
 * holds to account.
 */
export async function answeredIn(deps: Pick<Deps, "config" | "callStore">, run: RunRef): Promise<readonly AnsweredRole[]> {
  const config = await deps.config(run);
  const roles = Object.keys(config.experiment.models) as ModelRole[];
  const answered = answeredRoles(await deps.callStore.usage(ledgerRun(run)), modelsOf(config, roles), stages);
  return withFingerprints(answered, await deps.callStore.fingerprints(ledgerRun(run)), stages);
}
