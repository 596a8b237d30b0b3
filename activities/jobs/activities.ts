import type { NodeActivities, PoolActivities } from "../../contract/activities.ts";
import { claimNode } from "./claim.ts";
import type { JobDeps, JobsNode } from "./node.ts";
import { runJob } from "./run.ts";
import { keepServing } from "./serving.ts";
import { stopJob } from "./stop.ts";

/** On the pool's queue. */
export function makePoolActivities(deps: JobDeps, node: JobsNode): PoolActivities {
  return { claimNode: (input) => claimNode(deps, node, input) };
}

/** On the node's own queue. */
export function makeNodeActivities(deps: JobDeps, node: JobsNode): NodeActivities {
  return {
    runJob: (request) => runJob(deps, node, request),
    keepServing: (request) => keepServing(deps, node, request),
    stopJob: ({ job }) => stopJob(deps, node, job),
  };
}
