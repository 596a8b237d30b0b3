import { createHash } from "node:crypto";
import type { ResolvedExperiment } from "../../configs/schema/resolved.ts";
import { canonicalJson } from "../../domain/canonical-json.ts";

type Identified = Omit<ResolvedExperiment, "codeVersion">;

/**
 * What changes results, and nothing else: not canaries, budget, width, timeouts, batches, owner, prices, addresses, key names or where files lie.
 * Code versions belong to stage records.
 */
export function identity({ experiment, contexts, prompts, rubric, inputs, answeredModels, weights }: Identified): unknown {
  const {
    owner: _owner,
    budget: _budget,
    batch: _batch,
    providers,
    models,
    backbones,
    encoder,
    measure,
    reward,
    align,
    launcher,
    ...rest
  } = experiment;
  const { humanData: _humanData, ...measuring } = measure;
  const { labels: _labels, ...rewarding } = reward;
  const { deadlineSeconds: _deadline, ...aligning } = align;
  const { restarts: _restarts, nodeLostSeconds: _lost, ...launching } = launcher;
  const used = new Set(Object.values(models).map(({ provider }) => provider));
  return {
    ...rest,
    providers: Object.fromEntries(
      Object.entries(providers)
        .filter(([name]) => used.has(name))
        .map(([name, { rehearsal, jsonSchema }]) => [name, { rehearsal, jsonSchema }]),
    ),
    models: Object.fromEntries(
      Object.entries(models).map(([role, { price: _price, ...model }]) => [role, { ...model, answered: answeredModels[role] }]),
    ),
    backbones: backbones.map(({ id, base_model }) => ({ id, base_model, weights: weights[id] })),
    encoder: { id: encoder.id, weights: weights[encoder.id] },
    measure: measuring,
    reward: rewarding,
    align: aligning,
    launcher: launching,
    contextFiles: Object.fromEntries(contexts.map((context) => [context.id, context])),
    prompts,
    rubric,
    inputs: Object.fromEntries(Object.entries(inputs).map(([name, { sha256 }]) => [name, sha256])),
  };
}

/** Hex sha256 of the identity: names the run. */
export function identityDigest(resolved: Identified): string {
  return createHash("sha256")
    .update(canonicalJson(identity(resolved)))
    .digest("hex");
}

export interface Difference {
  readonly path: string;
  readonly before: unknown;
  readonly after: unknown;
}

/** Where two identities differ, leaf by leaf. */
export function differences(before: unknown, after: unknown, path = ""): readonly Difference[] {
  if (canonicalJson(before ?? null) === canonicalJson(after ?? null)) return [];
  if (!isRecord(before) || !isRecord(after)) return [{ path, before, after }];
  const keys = [...new Set([...Object.keys(before), ...Object.keys(after)])].toSorted();
  return keys.flatMap((key) => differences(before[key], after[key], path === "" ? key : `${path}.${key}`));
}

function isRecord(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}
