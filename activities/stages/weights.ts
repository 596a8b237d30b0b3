import { join } from "node:path";
import type { ResolvedExperiment } from "../../configs/schema/resolved.ts";
import type { Environment } from "../deps.ts";

/** A local folder of weights, as job specs name it. */
export interface Weights {
  readonly id: string;
  readonly dir: string;
  readonly sha256: string | null;
}

export function encoderWeights({ home }: Pick<Environment, "home">, { experiment: { encoder }, weights }: ResolvedExperiment): Weights {
  return { id: encoder.id, dir: join(home, "models", encoder.weights), sha256: weights[encoder.id] ?? null };
}

export function backboneWeights({ home }: Pick<Environment, "home">, { experiment, weights }: ResolvedExperiment, id: string): Weights {
  const backbone = experiment.backbones.find((b) => b.id === id);
  if (backbone === undefined) throw new Error(`The run has no backbone ${id}`);
  return { id: backbone.base_model, dir: join(home, "models", backbone.weights), sha256: weights[id] ?? null };
}
