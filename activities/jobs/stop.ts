import { servingKey } from "../../contract/places.ts";
import type { Deps } from "../deps.ts";
import type { JobsNode } from "./node.ts";
import { readClaim, updateJob } from "./record.ts";

type Stores = Pick<Deps, "records">;

/**
 * Ends a job for good: first marks its fence, so that a late attempt neither starts nor adopts it, then ends its processes. Works when no attempt
 * lives; true when something was running here.
 */
export async function stopJob(stores: Stores, node: JobsNode, job: string): Promise<boolean> {
  const claim = (await readClaim(stores, job))?.claim;
  // A node that lost its claim ends what it still runs, but must not stop the new holder.
  if (claim !== undefined && claim.node === node.name) {
    await updateJob(stores, job, (record) => ({ ...record, stoppedFence: Math.max(record.stoppedFence, claim.fence) }));
    await stores.records.remove(servingKey(job));
  }
  return node.launcher.stop(job, node.graceMs);
}
