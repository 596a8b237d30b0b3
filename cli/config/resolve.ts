import { createHash } from "node:crypto";
import type { Experiment } from "../../configs/schema/experiment.ts";
import type { ResolvedExperiment } from "../../configs/schema/resolved.ts";
import type { Ref } from "../../contract/ref.ts";
import { configUri } from "../../contract/places.ts";
import type { RunRef } from "../../contract/units.ts";
import type { ArtifactStore } from "../../platform/artifacts/store.ts";
import type { Project } from "../project.ts";
import { answeredModels } from "./answered-models.ts";
import { codeVersion } from "../../workers/code-version.ts";
import { identityDigest } from "./identity.ts";
import { type InputFile, type InputName, inputNames } from "./inputs.ts";
import { readReferences } from "./references.ts";
import { weightDigests } from "./weights.ts";

/** A run that could be started: its configuration with everything it depends on, and its files, not stored yet. */
export interface Resolution {
  readonly digest: string;
  readonly resolved: ResolvedExperiment;
  readonly files: readonly { readonly uri: string; readonly content: Buffer }[];
}

/**
 * Gathers what the experiment depends on, asks the providers for their models, and names the run by what changes results.
 * @throws CliError (exit 2 or 3)
 */
export async function resolveExperiment(experiment: Experiment, file: string, project: Project): Promise<Resolution> {
  const references = await readReferences(experiment, { file, root: project.root });
  const weights = await weightDigests(experiment, project.home);
  const parts = {
    experiment,
    contexts: [...references.contexts],
    prompts: { ...references.prompts },
    rubric: references.rubric,
    canaries: [...references.canaries],
    answeredModels: await answeredModels(experiment, project.env),
    weights,
    codeVersion: codeVersion(project.root),
  };
  const bare = eachInput((name) => describeInput(name, references.inputs[name]));
  const digest = identityDigest({ ...parts, inputs: bare });
  const inputs = eachInput((name) => ({
    ...bare[name],
    uri: `runs/${experiment.name}/${digest}/inputs/${bare[name].uri}`,
  }));
  const files = inputNames.map((name) => ({ uri: inputs[name].uri, content: references.inputs[name].content }));
  return { digest, resolved: { ...parts, inputs }, files };
}

/** Stores the run's inputs and its configuration; safe to repeat. */
export async function storeRun({ digest, resolved, files }: Resolution, artifacts: ArtifactStore): Promise<RunRef> {
  for (const { uri, content } of files) await artifacts.put(uri, content);
  const text = JSON.stringify(resolved, null, 1);
  const { name } = resolved.experiment;
  const sha256 = createHash("sha256").update(text).digest("hex");
  return { name, digest, config: await artifacts.put(configUri({ name, digest }, { sha256 }), text), epoch: "" };
}

function eachInput<T>(make: (name: InputName) => T): Record<InputName, T> {
  return Object.fromEntries(inputNames.map((name) => [name, make(name)])) as Record<InputName, T>;
}

function describeInput(name: InputName, { content, text, sha256 }: InputFile): Ref {
  const rows = text.split("\n").filter((line) => line.trim() !== "").length;
  return { uri: `${name}.jsonl`, sha256, bytes: content.length, rows };
}
