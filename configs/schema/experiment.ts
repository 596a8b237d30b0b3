import { z } from "zod";
import { id } from "./common.ts";
import { models, provider } from "./providers.ts";
import { converse, evaluate, measure, reward, steer } from "./stage-settings.ts";
import { align, backbone, encoder, launcher } from "./training.ts";

/** How batches move; changes no result, so it is no part of the digest. */
const batch = z.strictObject({
  window: z
    .int()
    .min(1)
    .max(400)
    .default(48)
    .describe("Conversations open at a time, per batch; 2.5 times a provider's width keeps it full"),
  minKeptShare: z.number().min(0).max(1).default(0.9),
  stallHoldSeconds: z.int().min(10).default(900),
});

const cap = z.strictObject({
  maxCalls: z.int().min(1).optional(),
  maxCostUsd: z.number().positive().optional(),
});

const budget = cap.extend({
  allowUnknownPrice: z.boolean().default(false),
  stages: z
    .strictObject({ converse: cap.optional(), steer: cap.optional(), evaluate: cap.optional() })
    .optional()
    .describe("Caps of single stages, over all their contexts, beside the run's"),
});

/** An experiment as a person writes it. */
export const experiment = z.strictObject({
  name: id,
  seed: z
    .int()
    .min(0)
    .max(2 ** 31 - 1)
    .default(1),
  owner: z.string().max(80).optional(),
  contexts: z.array(id).min(1).describe("Files of configs/contexts, without the ending"),
  providers: z.record(id, provider),
  models,
  backbones: z.array(backbone).min(1),
  encoder,
  measure,
  converse,
  steer: steer.prefault({}),
  reward,
  align: align.prefault({}),
  evaluate,
  batch: batch.prefault({}),
  budget: budget.prefault({}),
  launcher: launcher.prefault({ kind: "process" }),
});
export type Experiment = z.infer<typeof experiment>;
