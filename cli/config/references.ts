import { readdir } from "node:fs/promises";
import { existsSync } from "node:fs";
import { dirname, join, resolve } from "node:path";
import { type Canary, canaries } from "../../configs/schema/canaries.ts";
import { context as contextSchema, type Context } from "../../configs/schema/context.ts";
import type { Experiment } from "../../configs/schema/experiment.ts";
import { splits } from "../../contract/stages.ts";
import { usageError } from "../errors.ts";
import { checkHumanData } from "./human-data.ts";
import { type InputFile, type InputName, readInput } from "./inputs.ts";
import { parseWritten } from "./issues.ts";
import { checkLabels } from "./labels.ts";
import { checkLeaks, type WrittenContext } from "./leaks.ts";
import { checkTemplate, templateNames } from "./templates.ts";
import { readText, readYaml } from "./yaml.ts";

/** Texts and files that an experiment names. */
export interface References {
  readonly contexts: readonly Context[];
  readonly prompts: Readonly<Record<string, string>>;
  readonly rubric: string;
  readonly canaries: readonly Canary[];
  readonly inputs: Readonly<Record<InputName, InputFile>>;
}

/**
 * Reads what the experiment names. A context is looked for in `contexts/` beside the experiment's file, then in `configs/contexts/`.
 * @throws CliError (exit 2) for anything that is absent, malformed or outside the project, and for data that a stage would refuse
 */
export async function readReferences(
  experiment: Experiment,
  { file, root }: { readonly file: string; readonly root: string },
): Promise<References> {
  const folders = [join(dirname(resolve(file)), "contexts"), join(root, "configs", "contexts")];
  const contexts: WrittenContext[] = [];
  for (const id of experiment.contexts) contexts.push(await readContext(id, folders, experiment));
  checkLeaks(contexts);
  return {
    contexts: contexts.map(({ context }) => context),
    prompts: await readPrompts(join(root, "configs", "prompts")),
    rubric: await readText(join(root, "configs", "rubrics", "empathy.md")),
    canaries: await readCanaries(join(root, "configs", "rubrics", "canaries.yaml")),
    inputs: await readInputs(experiment, root, await contextsThere(folders)),
  };
}

async function readInputs(
  experiment: Experiment,
  root: string,
  known: readonly string[],
): Promise<Readonly<Record<InputName, InputFile>>> {
  const { labels } = experiment.reward;
  const inputs = {
    humanData: await readInput(root, "measure.humanData", experiment.measure.humanData),
    guideLabels: await readInput(root, "reward.labels.guide", labels.guide),
    evaluatorLabels: await readInput(root, "reward.labels.evaluator", labels.evaluator),
    anchors: await readInput(root, "reward.labels.anchors", labels.anchors),
  };
  checkHumanData(inputs.humanData, experiment, known);
  checkLabels({ guide: inputs.guideLabels, evaluator: inputs.evaluatorLabels, anchors: inputs.anchors });
  return inputs;
}

/** Ids of the contexts that have a file. */
async function contextsThere(folders: readonly string[]): Promise<readonly string[]> {
  const names = (await Promise.all(folders.map(async (folder) => readdir(folder).catch(() => [])))).flat();
  return [...new Set(names.filter((name) => name.endsWith(".yaml")).map((name) => name.slice(0, -".yaml".length)))].toSorted();
}

async function readContext(id: string, folders: readonly string[], { evaluate }: Experiment): Promise<WrittenContext> {
  const file = folders.map((folder) => join(folder, `${id}.yaml`)).find(existsSync);
  if (file === undefined) {
    throw usageError(
      `contexts holds ${id}, and there is no ${id}.yaml in ${folders.join(" or ")}; there are ${(await contextsThere(folders)).join(", ")}.`,
    );
  }
  const written = await readYaml(file);
  const parsed = parseWritten(contextSchema, written.value, written.where);
  if (parsed.id !== id) throw usageError(`${written.where(["id"])}: id is ${parsed.id}; the file's name says ${id}.`);
  const twice = parsed.families.find((family, i) => parsed.families.findIndex((other) => other.id === family.id) !== i);
  if (twice !== undefined)
    throw usageError(`${written.where(["families"])}: the family ${twice.id} is there twice; a family is in one split only.`);
  const needed = ["pairs", evaluate.split] satisfies (typeof splits)[number][];
  const absent = needed.find((split) => !parsed.families.some((family) => family.split === split));
  if (absent !== undefined)
    throw usageError(`${written.where(["families"])}: no family has split ${absent}, which this experiment uses.`);
  return { context: parsed, where: written.where };
}

async function readCanaries(file: string): Promise<readonly Canary[]> {
  const written = await readYaml(file);
  return parseWritten(canaries, written.value, written.where);
}

async function readPrompts(folder: string): Promise<Record<string, string>> {
  const prompts: Record<string, string> = {};
  for (const name of templateNames) {
    const file = join(folder, `${name}.md`);
    const text = await readText(file);
    checkTemplate(name, text, file);
    prompts[name] = text;
  }
  return prompts;
}
