import {
  ActivityFailure,
  ApplicationFailure,
  CancellationScope,
  patched,
  sleep,
  TimeoutFailure,
  workflowInfo,
} from "@temporalio/workflow";
import type { ExperimentPlan } from "../contract/experiment.ts";
import { failures } from "../contract/failures.ts";
import type { JobDraft, JobEnd, JobOutcome, JobRequest } from "../contract/jobs.ts";
import { stopQueue } from "../contract/queues.ts";
import type { Queues } from "../contract/queues.ts";
import type { RunRef } from "../contract/units.ts";
import { node, pool, stopper } from "./activities.ts";
import { jobName } from "./ids.ts";

/** Longest wait before a job is started again. */
const longestWaitMs = 5 * 60_000;
/** Nodes that are all busy are waited for up to so many times `nodeLostSeconds`: each claim costs the run's history some events. */
const mostPatience = 8;

/** Whose job it is, and when it may start: `gate` resolves while nothing holds the run. */
export interface JobOwner {
  readonly run: RunRef;
  readonly queues: Queues;
  readonly plan: Pick<ExperimentPlan, "jobRestarts" | "jobDeadlineSeconds" | "nodeLostSeconds">;
  readonly gate: () => Promise<void>;
  /** False while `gate` would wait. */
  readonly mayStart: () => boolean;
}

/** Runs a job on a node of the pool until it is done. `piece` names it within this workflow: `align/smollm2-135m/distress`. */
export async function runJobToEnd(owner: JobOwner, piece: string, draft: JobDraft): Promise<JobOutcome> {
  return withJob(owner, piece, draft, (request, patience) => onNode(owner, request, piece, patience).runJob(request));
}

/** Keeps a serving job up; ends only by cancel or when the server can't be brought up. */
export async function keepServingUp(owner: JobOwner, piece: string, draft: JobDraft): Promise<void> {
  return withJob(owner, piece, draft, (request, patience) => onNode(owner, request, piece, patience).keepServing(request));
}

/** The name that `keepServingUp` gives the job, under which its serving record stands. */
export function nameOf(piece: string): string {
  return jobName(workflowInfo().workflowId, piece);
}

function onNode({ plan }: JobOwner, { claim, deadlineSeconds }: JobRequest, piece: string, patience: number) {
  return node(claim.queue, `${piece} on ${claim.node}, fence ${claim.fence}`, {
    deadlineSeconds,
    nodeLostSeconds: plan.nodeLostSeconds * patience,
  });
}

/**
 * Claims a node, works there, and claims again when the node is lost or the job was ended from outside, within the limits of starts by cause. However
 * this ends, the job is stopped: some cancels reach no attempt at all.
 */
async function withJob<T>(
  owner: JobOwner,
  piece: string,
  draft: JobDraft,
  work: (request: JobRequest, patience: number) => Promise<T>,
): Promise<T> {
  const { run, queues, plan, gate, mayStart } = owner;
  const job = nameOf(piece);
  const ends: Record<string, number> = {};
  const claimed = new Set<string>();
  let lostFence = 0;
  let patience = 1;
  try {
    for (;;) {
      await gate();
      const claim = await pool(queues.gpu, `a node for ${piece}`).claimNode({ job, lostFence, work: draft });
      claimed.add(claim.queue);
      // A claim may wait for hours for a node; a pause or hold that came meanwhile counts.
      if (!mayStart() && patched("gate-after-claim")) await gate();
      const request = { ...draft, run, job, claim, deadlineSeconds: plan.jobDeadlineSeconds };
      try {
        return await work(request, patience);
      } catch (error) {
        if (neverTaken(error)) {
          lostFence = claim.fence;
          patience = Math.min(mostPatience, patience * 2);
          continue;
        }
        const end = lostEnd(error);
        if (end === null) throw error;
        patience = 1;
        const times = (ends[end.cause] ?? 0) + 1;
        ends[end.cause] = times;
        if (times > plan.jobRestarts) throw error;
        await sleep(Math.min(longestWaitMs, 1000 * 2 ** (times - 1)), {
          summary: `${piece} was ${end.cause}: start ${times + 1}`,
        });
      }
    }
  } finally {
    await CancellationScope.nonCancellable(() => stopEverywhere(job, piece, [...claimed]));
  }
}

async function stopEverywhere(job: string, piece: string, queues: readonly string[]): Promise<void> {
  await Promise.all(
    queues.map(async (queue) => {
      try {
        await stopper(stopQueue(queue), `end of ${piece}`).stopJob({ job });
      } catch {
        // No worker of that node answers: its reaper or the job's own deadline ends the job.
      }
    }),
  );
}

/** No worker of the node took the job in time: it is lost, or so busy that another node may do. */
function neverTaken(error: unknown): boolean {
  return (
    error instanceof ActivityFailure && error.cause instanceof TimeoutFailure && error.cause.timeoutType === "SCHEDULE_TO_START"
  );
}

/** How a job ended that may be started again; null for anything else. */
function lostEnd(error: unknown): JobEnd | null {
  if (!(error instanceof ActivityFailure && error.cause instanceof ApplicationFailure && error.cause.type === failures.jobLost))
    return null;
  return (error.cause.details?.[0] as JobEnd | undefined) ?? { job: "", cause: "killed", exitCode: null, signal: null, tail: "" };
}
