import { createHash } from "node:crypto";
import { readFile } from "node:fs/promises";
import { basename } from "node:path";
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
import { type InputName, readReferences } from "./references.ts";
import { usageError } from "../errors.ts";
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
  const read = async (name: InputName) => describeInput(name, references.inputs[name]);
  const inputs = {
    humanData: await read("humanData"),
    guideLabels: await read("guideLabels"),
    evaluatorLabels: await read("evaluatorLabels"),
    anchors: await read("anchors"),
  };
  const weights = await weightDigests(experiment, project.home);
  const parts = {
    experiment,
    contexts: [...references.contexts],
    prompts: { ...references.prompts },
    rubric: references.rubric,
    answeredModels: await answeredModels(experiment, project.env),
    weights,
    codeVersion: codeVersion(project.root),
  };
  const bare = {
    humanData: inputs.humanData.ref,
    guideLabels: inputs.guideLabels.ref,
    evaluatorLabels: inputs.evaluatorLabels.ref,
    anchors: inputs.anchors.ref,
  };
  const digest = identityDigest({ ...parts, inputs: bare });
  const place = (ref: Ref): Ref => ({ ...ref, uri: `runs/${experiment.name}/${digest}/inputs/${ref.uri}` });
  const placed = {
    humanData: place(bare.humanData),
    guideLabels: place(bare.guideLabels),
    evaluatorLabels: place(bare.evaluatorLabels),
    anchors: place(bare.anchors),
  };
  const files = Object.values(inputs).map(({ ref, content }) => ({ uri: place(ref).uri, content }));
  return { digest, resolved: { ...parts, inputs: placed }, files };
}

/** Stores the run's inputs and its configuration; safe to repeat. */
export async function storeRun({ digest, resolved, files }: Resolution, artifacts: ArtifactStore): Promise<RunRef> {
  for (const { uri, content } of files) await artifacts.put(uri, content);
  const text = JSON.stringify(resolved, null, 1);
  const { name } = resolved.experiment;
  const sha256 = createHash("sha256").update(text).digest("hex");
  return { name, digest, config: await artifacts.put(configUri({ name, digest }, { sha256 }), text), epoch: "" };
}

async function describeInput(name: InputName, file: string): Promise<{ ref: Ref; content: Buffer }> {
  const content = await readFile(file);
  if (content.length === 0) throw usageError(`${name}: ${basename(file)} is empty.`);
  const rows = content
    .toString("utf8")
    .split("\n")
    .filter((line) => line.trim() !== "").length;
  return {
    ref: { uri: `${name}.jsonl`, sha256: createHash("sha256").update(content).digest("hex"), bytes: content.length, rows },
    content,
  };
}
