import type { Experiment } from "../../configs/schema/experiment.ts";
import type { ModelRole } from "../../configs/schema/providers.ts";
import { answeredModels } from "../config/answered-models.ts";
import { weightDigests } from "../config/weights.ts";
import type { Project } from "../project.ts";
import { attempt, type Check } from "./machine.ts";

/** What one experiment needs: keys, models, prices, weights. */
export async function* configChecks(experiment: Experiment, { env, home }: Project): AsyncGenerator<Check> {
  yield await attempt("models", "The message says what to start, set or correct.", async () =>
    Object.entries(await answeredModels(experiment, env))
      .map(([role, model]) => `${role} ${model}`)
      .join(", "),
  );
  for (const [role, { model, price, provider }] of Object.entries(experiment.models) as [
    ModelRole,
    Experiment["models"][ModelRole],
  ][]) {
    if (experiment.providers[provider]?.rehearsal === true || price !== undefined) continue;
    yield {
      name: `price of ${role}`,
      state: "warning",
      detail: `none is known for ${model}`,
      remedy: `Add price to models.${role}, or costs are shown as unknown.`,
    };
  }
  yield await attempt("weights", "Run `node bin/setup.mjs`.", async () =>
    Object.keys(await weightDigests(experiment, home)).join(", "),
  );
}
