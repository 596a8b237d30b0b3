import type { JobOutcome } from "../../contract/jobs.ts";
import type { Ref } from "../../contract/ref.ts";
import { verifyFolder } from "../../platform/artifacts/folder.ts";
import type { FolderIndex } from "../../platform/artifacts/store.ts";
import { heedCancel } from "../cancelled.ts";
import type { Deps } from "../deps.ts";
import { badData } from "../failures.ts";
import { adapterUri } from "../jobs/adapter-name.ts";

type Stores = Pick<Deps, "artifacts" | "records">;

const outFolder = "adapter/";
const cardFile = "README.md";

/**
 * Keeps an adapter under its own digest, for good. The first one stored there stands: training the same thing again need not give the same bytes,
 * and what is served under a name must not change. One whose files were lost or altered is replaced.
 */
export async function storeAdapter(
  { artifacts, records }: Stores,
  { place, job, card }: { place: { backbone: string; context: string; digest8: string }; job: JobOutcome; card: string },
): Promise<Ref> {
  const uri = adapterUri(place);
  const key = `adapter/${place.backbone}/${place.context}/${place.digest8}`;
  const stored = await records.get(key);
  const kept = stored?.value as Ref | undefined;
  if (kept !== undefined && (await verifyFolder(artifacts, kept))) return kept;

  const trained = Object.entries(job.outputs).filter(([path]) => path.startsWith(outFolder));
  if (job.outputs[`${outFolder}adapter_model.safetensors`] === undefined) {
    throw badData(
      `Job ${job.job} ended without out/adapter/adapter_model.safetensors; its trainer is of another version than Attune.`,
    );
  }
  const put = async (path: string, make: (to: string) => Promise<Ref>) => {
    heedCancel();
    await artifacts.remove(`${uri}/${path}`);
    return { path, ref: await make(`${uri}/${path}`) };
  };
  const files = [await put(cardFile, (to) => artifacts.put(to, card))];
  for (const [path, ref] of trained) {
    files.push(await put(path.slice(outFolder.length), async (to) => artifacts.putFile(to, await artifacts.localPath(ref))));
  }
  const index = await put("index.json", (to) => artifacts.put(to, JSON.stringify({ files } satisfies FolderIndex)));
  await records.put(key, index.ref, stored?.version ?? null);
  return index.ref;
}
