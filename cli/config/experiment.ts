import { experiment, type Experiment } from "../../configs/schema/experiment.ts";
import { usageError } from "../errors.ts";
import { parseWritten, type Origin } from "./issues.ts";
import { layered } from "./layers.ts";
import { nearest } from "./nearest.ts";
import { readYaml } from "./yaml.ts";

export interface LoadSettings {
  readonly env: Readonly<Record<string, string | undefined>>;
  /** `path=value` of `--set`. */
  readonly sets: readonly string[];
}

/**
 * An experiment file with its layers, checked as far as it can be without anything else.
 * @throws CliError (exit 2)
 */
export async function loadExperiment(file: string, { env, sets }: LoadSettings): Promise<Experiment> {
  const { value, origin } = layered(experiment, await readYaml(file), env, sets);
  const parsed = parseWritten(experiment, value, origin);
  const problems = disagreements(parsed, origin);
  if (problems.length > 0) throw usageError(problems.join("\n        "));
  return parsed;
}

/** What no single key can show: names that point nowhere, or twice at one thing. */
function disagreements(
  { providers, models, contexts, backbones, encoder, evaluate }: Experiment,
  origin: Origin,
): readonly string[] {
  const problems: string[] = [];
  for (const [role, { provider }] of Object.entries(models)) {
    if (providers[provider] !== undefined) continue;
    const known = Object.keys(providers);
    const meant = nearest(provider, known);
    const hint = meant === undefined ? `there are ${known.join(", ")}` : `did you mean ${meant}?`;
    problems.push(
      `${origin(["models", role, "provider"])}: models.${role}.provider is "${provider}", which providers does not hold; ${hint}`,
    );
  }
  const twice = (path: string, values: readonly string[]) => {
    const value = values.find((candidate, i) => values.indexOf(candidate) !== i);
    if (value !== undefined) problems.push(`${origin([path.split(".")[0] ?? path])}: ${path} holds ${value} twice`);
  };
  twice("contexts", contexts);
  twice("backbones", [...backbones.map(({ id }) => id), encoder.id]);
  twice("evaluate.arms", evaluate.arms);
  if (evaluate.arms.includes("wrong_adapter") && contexts.length < 2) {
    problems.push(
      `${origin(["evaluate", "arms"])}: evaluate.arms holds wrong_adapter, which takes another context's adapter; give two contexts or leave the arm out`,
    );
  }
  return problems;
}
