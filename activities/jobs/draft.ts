import type { ResolvedExperiment } from "../../configs/schema/resolved.ts";
import { ApplicationFailure } from "@temporalio/common";
import { failures } from "../../contract/failures.ts";
import { random } from "../../domain/random.ts";

/** A seed of its own for each job of an experiment, so that no two models share one. */
export function jobSeed({ experiment }: ResolvedExperiment, ...name: readonly string[]): number {
  return random(experiment.seed, "job", ...name).below(2 ** 31);
}

/** The encoder as job parameters name it; its folder is below the data directory's models/, wherever that is. */
export function encoderWeights({ experiment, weights }: ResolvedExperiment): { id: string; dir: string; sha256: string | null } {
  const { id, weights: dir } = experiment.encoder;
  return { id, dir, sha256: weights[id] ?? null };
}

export function backboneOf(
  { experiment }: ResolvedExperiment,
  id: string,
): ResolvedExperiment["experiment"]["backbones"][number] {
  const found = experiment.backbones.find((backbone) => backbone.id === id);
  if (found !== undefined) return found;
  const known = experiment.backbones.map((backbone) => backbone.id).join(", ");
  throw ApplicationFailure.create({
    type: failures.badConfig,
    message: `No backbone ${id} in the experiment; it has ${known}.`,
    nonRetryable: true,
  });
}

/** A backbone's weights under its public id. */
export function backboneWeights(config: ResolvedExperiment, id: string): { id: string; dir: string; sha256: string | null } {
  const backbone = backboneOf(config, id);
  return { id: backbone.base_model, dir: backbone.weights, sha256: config.weights[id] ?? null };
}
