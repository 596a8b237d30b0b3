import type { JobOutcome } from "../../contract/jobs.ts";
import type { Ref } from "../../contract/ref.ts";
import type { RunRef } from "../../contract/units.ts";
import type { FolderIndex } from "../../platform/artifacts/store.ts";
import type { Deps } from "../deps.ts";
import { badData } from "../failures.ts";
import { runUri } from "../stages/records.ts";

/** A trained scorer as a folder of the run: `reward/<id>/`, whose files are the job's own outputs. */
export async function storeModel({ artifacts }: Pick<Deps, "artifacts">, run: RunRef, id: string, job: JobOutcome): Promise<Ref> {
  for (const needed of ["model.json", "model.safetensors"]) {
    if (job.outputs[needed] === undefined)
      throw badData(`Job ${job.job} ended without out/${needed}; its trainer is of another version than Attune.`);
  }
  const files = Object.entries(job.outputs)
    .toSorted(([a], [b]) => (a < b ? -1 : 1))
    .map(([path, ref]) => ({ path, ref }));
  return artifacts.put(
    `${runUri(run)}/reward/${id}/fence-${job.fence}/index.json`,
    JSON.stringify({ files } satisfies FolderIndex),
  );
}
