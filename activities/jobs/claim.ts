import type { Claim, ClaimInput } from "../../contract/jobs.ts";
import { nodeQueue } from "../../contract/queues.ts";
import type { Deps } from "../deps.ts";
import type { JobsNode } from "./node.ts";
import { readClaim, readJob } from "./record.ts";
import { workDigest } from "./reuse.ts";

type Stores = Pick<Deps, "records">;

/**
 * Settles where a job belongs. The stored claim stands if its fence is above the lost one, or if it is this very node's and this boot's: then the
 * node was slow, not lost. Otherwise, after a stop, and where the stored claim is for other work under the same name (a stop that reached no worker),
 * this node takes the next fence by compare-and-swap.
 */
export async function claimNode(stores: Stores, node: JobsNode, { job, lostFence, work }: ClaimInput): Promise<Claim> {
  const digest = workDigest(work);
  for (;;) {
    const stored = await readClaim(stores, job);
    const { stoppedFence } = await readJob(stores, job);
    const lowest = Math.max(lostFence, stoppedFence);
    if (
      stored !== null &&
      stored.work === digest &&
      stored.claim.fence > stoppedFence &&
      (stored.claim.fence > lostFence || isHere(stored.claim, node))
    ) {
      return stored.claim;
    }
    const claim: Claim = {
      node: node.name,
      boot: node.boot,
      fence: Math.max(stored?.claim.fence ?? 0, lowest) + 1,
      queue: nodeQueue(node.pool, node.name),
    };
    if (await stores.records.put(`claim/${job}`, { claim, work: digest }, stored?.version ?? null)) return claim;
  }
}

function isHere(claim: Claim, node: JobsNode): boolean {
  return claim.node === node.name && claim.boot === node.boot;
}

/** Null while an attempt with this claim may act; else why not. */
export async function whyNotMine(stores: Stores, job: string, fence: number): Promise<string | null> {
  const current = (await readClaim(stores, job))?.claim.fence ?? 0;
  if (current !== fence) return `its claim has moved on to fence ${current}`;
  return (await readJob(stores, job)).stoppedFence >= fence ? "it was stopped" : null;
}
