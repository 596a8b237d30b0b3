import { z } from "zod";
import { resolvedExperiment } from "../../configs/schema/resolved.ts";
import { stages } from "../../contract/stages.ts";
import type { RunRef } from "../../contract/units.ts";
import { type AnsweredRole, answeredRoles, modelWarnings } from "../../domain/answered-models.ts";
import { fingerprintNotes, withFingerprints } from "../../domain/fingerprints.ts";
import type { OpenStores } from "../project.ts";
import { harmless } from "../view/wrap.ts";

/** All that is read of a run's configuration: an older version may have written the rest in another form. */
const asked = z.object({
  answeredModels: resolvedExperiment.shape.answeredModels,
  experiment: z.object({ models: z.record(z.string(), z.object({ model: z.string() })) }),
});

/** Which models answered a run so far as teacher, simulated user and judge, by the ledger; none where its configuration is no longer there. */
export async function answeredSoFar(
  { artifacts, openCalls }: Pick<OpenStores, "artifacts" | "openCalls">,
  { config, digest }: RunRef,
): Promise<readonly AnsweredRole[]> {
  if (!(await artifacts.verify(config))) return [];
  const stored = asked.safeParse(JSON.parse((await artifacts.read(config)).toString("utf8")));
  if (!stored.success) return [];
  const { answeredModels, experiment } = stored.data;
  const names = Object.entries(experiment.models).map(([role, { model }]) => [role, answeredModels[role] ?? model] as const);
  const calls = openCalls();
  try {
    const roles = answeredRoles(await calls.usage(digest), Object.fromEntries(names), stages);
    return withFingerprints(roles, await calls.fingerprints(digest), stages);
  } finally {
    await calls.close();
  }
}

/** A line for each role that another model answers than was asked for, or several do; then one for each that has several fingerprints. Else empty. */
export function answeredText(roles: readonly AnsweredRole[]): string {
  return [
    ...modelWarnings(roles).map((warning) => `Warning: ${warning}`),
    ...fingerprintNotes(roles).map((note) => `Note: ${note}`),
  ]
    .map(harmless)
    .join("\n");
}
