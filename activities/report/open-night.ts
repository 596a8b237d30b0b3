import { planFor } from "../../configs/schema/plan.ts";
import type { Night } from "../../contract/activities.ts";
import type { Ref } from "../../contract/ref.ts";
import { stageKey } from "../../contract/stages.ts";
import type { Deps } from "../deps.ts";
import { badData } from "../failures.ts";
import { findStageRecord } from "../stages/records.ts";
import { readPublished } from "./publish.ts";

/** What a night evaluates: the reference's own items (its run's configuration and seed) under the night's epoch, with the experts that are published now. The night becomes part of file names. */
export async function openNight(deps: Deps, { experiment, night }: { experiment: string; night: string }): Promise<Night> {
  const { published, reference } = await readPublished(deps, experiment);
  const epoch = night.replaceAll(/[^A-Za-z0-9._-]/g, "-");
  const run = { ...reference.run, epoch };
  const config = await deps.config(reference.run);
  const plan = planFor(config);
  const missing = plan.backbones.flatMap((backbone) =>
    plan.contexts
      .filter((context) => published.adapters[backbone]?.[context] === undefined)
      .map((context) => `${backbone}/${context}`),
  );
  if (missing.length > 0) {
    throw badData(
      `the newest run of ${experiment} published no expert for ${missing.join(", ")}, which the accepted reference (run ${reference.run.digest.slice(0, 12)}) has: run the experiment with these contexts and backbones, or give the changed one a name of its own`,
    );
  }
  return {
    run,
    plan: { ...plan, evaluation: { ...plan.evaluation, arms: ["adapter"] } },
    night: epoch,
    adapters: Object.fromEntries(
      Object.entries(published.adapters).map(([backbone, byContext]) => [
        backbone,
        Object.fromEntries(Object.entries(byContext).map(([context, adapter]) => [context, adapter.ref])),
      ]),
    ),
    scorers: await scorers(deps, reference.run, plan.contexts),
    reference: reference.results,
  };
}

/** The reference's own reward models: nights are compared by the measure that judged the reference. */
async function scorers(deps: Deps, run: Night["run"], contexts: readonly string[]): Promise<Record<string, Ref>> {
  const out: Record<string, Ref> = {};
  for (const id of ["evaluator", ...contexts.map((context) => `preference-${context}`)]) {
    const model = (await findStageRecord(deps, run, stageKey("reward", id)))?.outputs["model"];
    if (model === undefined)
      throw badData(
        `reward model ${id} of ${run.name}/${run.digest.slice(0, 12)} is missing: run the experiment again, only what is missing is rebuilt`,
      );
    out[id] = model;
  }
  return out;
}
