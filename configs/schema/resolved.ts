import { z } from "zod";
import { canaries } from "./canaries.ts";
import { context } from "./context.ts";
import { experiment } from "./experiment.ts";

const sha256 = z.string().regex(/^[0-9a-f]{64}$/);
const ref = z.strictObject({ uri: z.string(), sha256, bytes: z.int(), rows: z.int().nullable() });

/**
 * An experiment with everything it depends on beside it: what activities read, and what the digest covers.
 * Built once by `run`, stored as `config.json`, never changed.
 */
export const resolvedExperiment = z.strictObject({
  experiment,
  contexts: z.array(context).min(1),
  /** Prompt templates by name: text with {{slots}}. */
  prompts: z.record(z.string(), z.string()),
  /** The judge's rubric, as it is shown to the judge. */
  rubric: z.string(),
  /** Replies with a known rating, which the judge is asked for once; they change no result. Configurations of earlier versions have none. */
  canaries: canaries.optional(),
  /** Input files, copied into the run. */
  inputs: z.strictObject({ humanData: ref, guideLabels: ref, evaluatorLabels: ref, anchors: ref }),
  /** Model ids as the providers answer them, for aliases such as `rehearsal`; by role. */
  answeredModels: z.record(z.string(), z.string()),
  /** sha256 of the weights of each backbone and of the encoder, by id. */
  weights: z.record(z.string(), sha256),
  codeVersion: z.string(),
});
export type ResolvedExperiment = z.infer<typeof resolvedExperiment>;
