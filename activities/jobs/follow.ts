import type { Context } from "@temporalio/activity";
import type { JobHeartbeat, JobRequest } from "../../contract/jobs.ts";
import type { JobPlace } from "../../platform/jobs/folder.ts";
import type { JobExit, RunningJob } from "../../platform/jobs/launcher.ts";
import { ProgressTail } from "../../platform/jobs/progress.ts";
import type { Deps } from "../deps.ts";
import { whyNotMine } from "./claim.ts";
import { notMine } from "./failures.ts";
import type { Heart } from "./heart.ts";
import type { JobsNode } from "./node.ts";

/** A job ends itself at its deadline; one that can't is ended from here this much later. */
const deadlineGraceMs = 30_000;
/** Between two looks at the claim. */
const claimCheckMs = 2000;

export interface Followed {
  readonly deps: Pick<Deps, "records" | "log" | "env">;
  readonly node: JobsNode;
  readonly context: Context;
  readonly heart: Heart;
  readonly request: JobRequest;
  readonly place: JobPlace;
}

/**
 * Watches a running job: heartbeats its progress and returns how it ended. `onTick` runs at every look and may end the watch by a string: why the
 * job must be ended and started anew.
 * @throws JobLost when the claim has moved on or the job was stopped; the job is ended first
 */
export async function follow(
  { deps, node, context, heart, request, place }: Followed,
  running: RunningJob,
  onTick: () => Promise<string | null> = async () => null,
): Promise<JobExit> {
  let warned = false;
  const progress = new ProgressTail(place.progress, (line) => {
    if (!warned) deps.log.warn("Lines of a job's progress.jsonl are no progress and are left out", { job: place.job, line });
    warned = true;
  });
  const deadline = Date.parse(running.startedAt) + request.deadlineSeconds * 1000 + deadlineGraceMs;
  let claimChecked = 0;
  for (;;) {
    await progress.read();
    const latest = progress.latest;
    const beat: JobHeartbeat = {
      step: latest?.step ?? 0,
      of: latest?.of ?? 0,
      loss: latest?.loss ?? null,
      node: node.name,
      pid: running.pid,
    };
    heart.beat(beat);
    const status = await node.launcher.status(place, running);
    if (status.state === "ended") return status.exit;
    const now = deps.env.now().getTime();
    if (now - claimChecked >= claimCheckMs) {
      claimChecked = now;
      const why = await whyNotMine(deps, place.job, place.fence);
      if (why !== null) {
        await node.launcher.stopFence(place, node.graceMs);
        throw notMine(place.job, why);
      }
    }
    const unwell = now > deadline ? "its deadline has passed" : await onTick();
    if (unwell !== null) {
      deps.log.warn("A job is ended by its node", { job: place.job, why: unwell });
      await node.launcher.stopFence(place, node.graceMs);
      const ended = await node.launcher.status(place, running);
      if (ended.state === "ended") return ended.exit;
    }
    await context.sleep(node.pollMs);
  }
}
