import type { JobDraft } from "../../contract/jobs.ts";
import type { Ref } from "../../contract/ref.ts";
import type { RunRef } from "../../contract/units.ts";
import { readFolder } from "../../platform/artifacts/folder.ts";
import { badData } from "../failures.ts";
import { adapterName, adapterPlace } from "./adapter-name.ts";
import { backboneWeights, jobSeed } from "./draft.ts";
import type { JobDeps } from "./node.ts";

/** Requests decoded side by side; more gain little on a CPU. */
const parallel = 8;

/** Tokens beside the replies: a user's turn, and once the system card with the first lines. */
const userTurnTokens = 160;
const openingTokens = 512;

/** The serving job of a backbone: its base under the backbone's id, and each adapter as `<context>-<digest8>`. */
export async function prepareServe(
  deps: JobDeps,
  { run, backbone, adapters }: { run: RunRef; backbone: string; adapters: Readonly<Record<string, Ref>> },
): Promise<JobDraft> {
  const config = await deps.config(run);
  const { turns, maxNewTokens } = config.experiment.evaluate;
  const served = await Promise.all(
    Object.entries(adapters)
      .toSorted(([a], [b]) => (a < b ? -1 : 1))
      .map(async ([context, ref]) => {
        const name = adapterName(context, adapterPlace(ref).digest8);
        const { files } = await readFolder(deps.artifacts, ref);
        const weights = files.find(({ path }) => path === "adapter_model.safetensors")?.ref;
        if (weights === undefined)
          throw badData(`Adapter ${ref.uri} has no adapter_model.safetensors; run the experiment again with --rebuild align.`);
        return { name, path: `adapters/${name}`, sha256: weights.sha256, ref };
      }),
  );
  return {
    params: {
      kind: "serve",
      base_model: backboneWeights(config, backbone),
      base_name: backbone,
      adapters: served.map(({ name, path, sha256 }) => ({ name, path, sha256 })),
      context_len: powerOfTwoAbove(openingTokens + turns * (maxNewTokens + userTurnTokens)),
      parallel,
    },
    files: served.map(({ path, ref }) => ({ path, ref })),
    seed: jobSeed(config, "serve", backbone),
  };
}

function powerOfTwoAbove(tokens: number): number {
  return 2 ** Math.ceil(Math.log2(tokens));
}
