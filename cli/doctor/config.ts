import type { Experiment } from "../../configs/schema/experiment.ts";
import type { ModelRole } from "../../configs/schema/providers.ts";
import { answeredModels } from "../config/answered-models.ts";
import { loadExperiment } from "../config/experiment.ts";
import { checkMoney } from "../config/money.ts";
import { readReferences } from "../config/references.ts";
import { weightDigests } from "../config/weights.ts";
import type { Project } from "../project.ts";
import { attempt, type Check } from "./machine.ts";

/** What one experiment needs: a configuration that `run` would take, keys, models, prices, weights. */
export async function* configChecks(file: string, { env, home, root }: Project): AsyncGenerator<Check> {
  let experiment: Experiment | undefined;
  yield await attempt("configuration", `Mend it; \`npx attune validate ${file}\` checks it alone.`, async () => {
    const loaded = (experiment = await loadExperiment(file, { env, sets: [] }));
    checkMoney(loaded);
    await readReferences(loaded, { file, root });
    return `${loaded.name}, with all that it names`;
  });
  if (experiment === undefined) return;
  yield* needs(experiment, { env, home });
}

async function* needs(experiment: Experiment, { env, home }: Pick<Project, "env" | "home">): AsyncGenerator<Check> {
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
