import type { JobSpec } from "../../contract/job-spec.ts";
import type { Ensured } from "../../platform/jobs/launcher.ts";
import type { Deps } from "../deps.ts";
import { whyNotMine } from "./claim.ts";
import { deviceBusy, notMine } from "./failures.ts";
import type { Followed } from "./follow.ts";
import { layFolder } from "./lay.ts";
import { countStarts, updateJob } from "./record.ts";

type Starting = Followed & { readonly deps: Pick<Deps, "artifacts" | "config"> };

/** Who owns the job: the workflow this attempt runs for. */
function ownerOf({ context, node }: Pick<Followed, "context" | "node">): JobSpec["owner"] {
  const { workflowExecution, namespace } = context.info;
  return { cluster: node.cluster, namespace, workflowId: workflowExecution?.workflowId ?? "" };
}

/** @throws JobLost when this attempt may not act any more */
export async function admit({ deps, request, place }: Pick<Followed, "deps" | "request" | "place">): Promise<void> {
  const why = await whyNotMine(deps, request.job, place.fence);
  if (why !== null) throw notMine(request.job, why);
}

/**
 * Adopts the job or starts it. Never returns `busy`.
 * @throws DeviceBusy while other jobs hold every device: waiting here would keep the slot from the retry that adopts one of them
 */
export async function ensureJob(starting: Starting): Promise<Exclude<Ensured, { state: "busy" }>> {
  const { deps, node, heart, request, place } = starting;
  const { devices } = (await deps.config(request.run)).experiment.launcher;
  const owner = ownerOf(starting);
  const beforeStart = async () => layFolder(deps, { request, place, owner, devices, address: node.address });
  await admit(starting);
  const ensured = await heart.during(() => node.launcher.ensure({ place, kind: request.params.kind, devices, beforeStart }));
  if (ensured.state === "busy") throw deviceBusy(request.job, devices);
  const ids = await node.launcher.starts(place);
  const adopted = ensured.state === "running" && ensured.adopted ? 1 : 0;
  await updateJob(deps, request.job, (record) => ({
    ...countStarts(record, ids),
    owner,
    adoptions: record.adoptions + adopted,
  }));
  await stopIfStopped(starting);
  return ensured;
}

/** A stop that came between the look at its mark and the start has found nothing to end. */
async function stopIfStopped(starting: Starting): Promise<void> {
  const { node, place } = starting;
  try {
    await admit(starting);
  } catch (error) {
    await node.launcher.stopFence(place, node.graceMs);
    throw error;
  }
}
