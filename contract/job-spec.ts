import { z } from "zod";

/**
 * The contract with the trainer is a folder: `spec.json` (this schema), `data/`, `progress.jsonl`, `checkpoints/`, `out/`, `result.json`.
 * The Python side checks the same schema (`trainer/job-spec.schema.json`, emitted from here).
 */
export const jobSpecVersion = 1;

const sha256 = z.string().regex(/^[0-9a-f]{64}$/);
const jobName = z.string().regex(/^[a-z0-9][a-z0-9._-]{0,119}$/);
const relativePath = z.string().regex(/^(?!.*(^|\/)\.\.(\/|$))[A-Za-z0-9][A-Za-z0-9._/-]{0,299}$/);

/** Host name or IPv4 address under which others reach a machine; never "any interface": servers have no authentication. */
export const hostAddress = z.string().regex(/^(?![0.]+$)[A-Za-z0-9]([A-Za-z0-9.-]{0,251}[A-Za-z0-9])?$/);

/** A file laid into the job folder before it starts; `path` is relative to the folder. */
const input = z.strictObject({ path: relativePath, sha256 });

/** A local folder of safetensors weights (base model or encoder). */
const weights = z.strictObject({
  id: z.string(),
  dir: z.string(),
  sha256: sha256.nullable(),
});

const lora = {
  lora_r: z.int().min(1).max(256),
  lora_alpha: z.number().positive(),
  lora_dropout: z.number().min(0).max(0.9),
  lora_target_modules: z.union([z.literal("all-linear"), z.array(z.string()).min(1)]),
  /** Train only this many of the top layers; null trains all of them. */
  lora_top_layers: z.int().min(1).nullable(),
};

const align = z.strictObject({
  kind: z.literal("align"),
  base_model: weights,
  loss: z.enum(["dpo", "simpo", "orpo", "sft"]),
  /** DPO's β, or SimPO's and ORPO's; never the preference model's temperature. */
  dpo_beta: z.number().positive(),
  sft_weight: z.number().min(0),
  simpo_gamma: z.number().min(0),
  ...lora,
  learning_rate: z.number().positive(),
  max_steps: z.int().min(1),
  micro_batch_size: z.int().min(1),
  gradient_accumulation_steps: z.int().min(1),
  warmup_ratio: z.number().min(0).max(1),
  sequence_len: z.int().min(32),
  save_steps: z.int().min(1),
});

const reward = z.strictObject({
  kind: z.literal("reward"),
  encoder: weights,
  freeze_encoder: z.boolean(),
  /** Share of families held out to choose the regularisation. */
  validation_share: z.number().min(0).max(0.5),
});

const preference = z.strictObject({
  kind: z.literal("preference"),
  encoder: weights,
  freeze_encoder: z.boolean(),
  validation_share: z.number().min(0).max(0.5),
  max_steps: z.int().min(1),
  learning_rate: z.number().positive(),
});

/** A trained reward or preference model, laid into the job folder under `path`. */
const scorer = z.strictObject({ id: z.string(), path: relativePath });

const score = z.strictObject({
  kind: z.literal("score"),
  encoder: weights,
  scorers: z.array(scorer).min(1),
});

const serve = z.strictObject({
  kind: z.literal("serve"),
  base_model: weights,
  /** The name requests use for the base model. */
  base_name: z.string(),
  adapters: z.array(z.strictObject({ name: z.string(), path: relativePath, sha256 })),
  context_len: z.int().min(256),
  /** Requests decoded side by side. */
  parallel: z.int().min(1),
});

export const jobParams = z.discriminatedUnion("kind", [align, reward, preference, score, serve]);

export const jobSpec = z.strictObject({
  version: z.literal(jobSpecVersion),
  name: jobName,
  /** Experiment workflow that owns the job; the reaper asks the server whether it is still open. */
  owner: z.strictObject({ cluster: z.string(), namespace: z.string(), workflowId: z.string() }),
  fence: z.int().min(1),
  /** Seconds after start at which the job ends by itself. */
  deadline_s: z.int().min(1),
  seed: z.int().min(0),
  /** Devices to try in turn; each is locked by the job itself. */
  devices: z.array(z.string()).min(1),
  /** Where a server of this job listens and is announced. */
  address: hostAddress,
  inputs: z.array(input),
  params: jobParams,
});

export type JobSpec = z.infer<typeof jobSpec>;
export type JobParams = z.infer<typeof jobParams>;
export type JobKind = JobParams["kind"];

/** One line of `progress.jsonl`. */
export const jobProgress = z.looseObject({
  step: z.number(),
  of: z.number(),
  loss: z.number().nullable(),
  at: z.string(),
  note: z.string().optional(),
});
export type JobProgress = z.infer<typeof jobProgress>;

/** `result.json`, written last, by rename. */
export const jobResult = z.looseObject({
  name: z.string(),
  fence: z.int(),
  outputs: z.array(z.strictObject({ path: relativePath, sha256, bytes: z.int() })),
  metrics: z.record(z.string(), z.unknown()),
  versions: z.record(z.string(), z.string()),
});
export type JobResult = z.infer<typeof jobResult>;

export const exitCodes = {
  done: 0,
  badSpec: 64,
  badData: 65,
  failed: 70,
  preempted: 75,
  held: 76,
} as const;
