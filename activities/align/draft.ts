import { createHash } from "node:crypto";
import type { ResolvedExperiment } from "../../configs/schema/resolved.ts";
import type { JobDraft } from "../../contract/jobs.ts";
import type { Ref } from "../../contract/ref.ts";
import { canonicalJson } from "../../domain/canonical-json.ts";
import { backboneWeights, jobSeed } from "../jobs/draft.ts";

export interface AlignInput {
  readonly context: string;
  readonly backbone: string;
  readonly pairs: Ref;
}

/** One LoRA adapter for a context on a backbone, from its pairs. */
export function alignDraft(config: ResolvedExperiment, { context, backbone, pairs }: AlignInput): JobDraft {
  const { deadlineSeconds: _, ...recipe } = config.experiment.align;
  return {
    params: { kind: "align", base_model: backboneWeights(config, backbone), ...recipe },
    files: [{ path: "data/train.jsonl", ref: pairs }],
    seed: jobSeed(config, "align", backbone, context),
  };
}

/** First 8 hex digits of the digest of what the adapter follows from: parameters, data, seed. Says nothing about a machine or a run. */
export function adapterDigest8({ params, files, seed }: JobDraft): string {
  const inputs = files.map(({ path, ref }) => ({ path, sha256: ref.sha256 }));
  return createHash("sha256").update(canonicalJson({ params, inputs, seed })).digest("hex").slice(0, 8);
}
