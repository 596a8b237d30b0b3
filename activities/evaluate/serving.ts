import { servingKey } from "../../contract/places.ts";
import type { Serving } from "../../contract/jobs.ts";
import type { ResolvedExperiment } from "../../configs/schema/resolved.ts";
import type { Deps } from "../deps.ts";
import type { RoleModel } from "../dialogue/models.ts";

/** Students answer from one local server: a slow turn is a queue there, not a fault. */
const studentTimeoutMs = 180_000;
/** A little more than the server decodes side by side, so that it is never idle. */
const studentWidth = 10;

export const canaryKey = (serving: string, generation: number) => `canary/${serving}/${generation}`;

/** A generation that has not passed may answer with the wrong weights, and a recorded answer stands for good. */
export async function canaryPassed({ records }: Pick<Deps, "records">, serving: string, generation: number): Promise<boolean> {
  return (await records.get(canaryKey(serving, generation))) !== null;
}

export async function readServing({ records }: Pick<Deps, "records">, serving: string): Promise<Serving | null> {
  const stored = await records.get(servingKey(serving));
  return stored === null ? null : (stored.value as Serving);
}

/** A name the server offers, as a model to call; its weights are part of every call's key, its port never is. */
export function studentModel(
  serving: Serving,
  name: string,
  base: string,
  { experiment }: Pick<ResolvedExperiment, "experiment">,
): { model: RoleModel; weights: string } {
  const [baseWeights, own] = [serving.weights[base], serving.weights[name]];
  if (baseWeights === undefined || own === undefined)
    throw new Error(`The server offers ${serving.models.join(", ")}, not ${own === undefined ? name : base}`);
  return {
    model: {
      endpoint: {
        provider: `student-${base}`,
        baseUrl: serving.endpoint,
        jsonSchema: false,
        maxTokensField: "max_tokens",
        timeoutMs: studentTimeoutMs,
        width: studentWidth,
      },
      model: name,
      price: { input: 0, output: 0 },
      temperature: experiment.evaluate.temperature,
      topP: 1,
    },
    weights: `${baseWeights}+${name === base ? "" : own}@${serving.engine}`,
  };
}
