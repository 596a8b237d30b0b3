import { z } from "zod";
import { filePath, id } from "./common.ts";

/** A model that is aligned: `weights` holds its safetensors. */
export const backbone = z.strictObject({
  id,
  base_model: z.string().min(1).describe("Public model id, as PEFT records it"),
  weights: filePath.describe("Folder below the data directory's models/"),
});

export const encoder = z.strictObject({ id: z.string().min(1), weights: filePath });

/** Keys as axolotl and PEFT name them. */
export const align = z.strictObject({
  loss: z.enum(["dpo", "simpo", "orpo", "sft"]).default("dpo"),
  dpo_beta: z.number().positive().default(0.1),
  sft_weight: z.number().min(0).default(0.3),
  simpo_gamma: z.number().min(0).default(0.5),
  lora_r: z.int().min(1).max(256).default(16),
  lora_alpha: z.number().positive().default(32),
  lora_dropout: z.number().min(0).max(0.9).default(0),
  lora_target_modules: z.union([z.literal("all-linear"), z.array(z.string()).min(1)]).default("all-linear"),
  lora_top_layers: z.int().min(1).nullable().default(null).describe("Train only the top layers; null trains all"),
  learning_rate: z.number().positive().default(0.0008),
  max_steps: z.int().min(1).default(24),
  micro_batch_size: z.int().min(1).default(2),
  gradient_accumulation_steps: z.int().min(1).default(1),
  warmup_ratio: z.number().min(0).max(1).default(0.1),
  sequence_len: z.int().min(32).default(512),
  save_steps: z.int().min(1).default(8),
  deadlineSeconds: z.int().min(60).default(7200),
});

export const launcher = z.strictObject({
  kind: z.literal("process"),
  devices: z.array(id).min(1).default(["cpu0"]),
  /** Times a job may be started again after it was killed or preempted. */
  restarts: z.int().min(0).max(100).default(5),
  nodeLostSeconds: z
    .int()
    .min(5)
    .default(300)
    .describe("A job that no worker of its node takes for so long may go to another node"),
});
