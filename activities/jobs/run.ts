import type { JobEnd, JobOutcome, JobRequest } from "../../contract/jobs.ts";
import { readResult } from "../../platform/jobs/folder.ts";
import type { JobExit } from "../../platform/jobs/launcher.ts";
import { type Attempt, attemptJob } from "./attempt.ts";
import { promote, promoted } from "./collect.ts";
import { jobEnd, jobFailure } from "./failures.ts";
import { follow } from "./follow.ts";
import type { Followed } from "./follow.ts";
import type { JobDeps, JobsNode } from "./node.ts";
import { countStarts, readJob, updateJob } from "./record.ts";
import { findDone } from "./reuse.ts";
import { admit, ensureJob } from "./start.ts";

/** ensure → follow → collect. A retry adopts the running job, or collects what an earlier attempt's job left. */
export async function runJob(deps: JobDeps, node: JobsNode, request: JobRequest): Promise<JobOutcome> {
  return attemptJob(deps, node, request, async (attempt) => {
    const { heart, place } = attempt;
    await admit(attempt);
    const earlier = await promoted(deps, request.job, place.fence);
    if (earlier !== null) return earlier;
    const done = await heart.during(() => findDone(deps, request));
    if (done !== null) return reuse(deps, request, done);
    const exit = (await endNobodySaw(attempt)) ?? (await runToEnd(attempt));
    const result = exit === "finished" || exit.exitCode === 0 || exit.exitCode === null ? await readResult(place) : null;
    if (result !== null) return heart.during(() => promote(deps, request, place, result));
    throw jobFailure(await reportEnd(attempt, exit === "finished" ? null : exit));
  });
}

/** The same work was done before, for another run or before this one's record of it was lost: nothing is started. */
async function reuse(deps: JobDeps, { job, claim }: JobRequest, done: JobOutcome): Promise<JobOutcome> {
  const outcome = { ...done, job, fence: claim.fence };
  await updateJob(deps, job, (record) => ({ ...record, outcome }));
  deps.log.info(`${job} is not run: ${done.job} did the same work`, { result: done.result.uri });
  return outcome;
}

async function runToEnd(attempt: Attempt): Promise<JobExit> {
  const ensured = await ensureJob(attempt);
  return ensured.state === "ended" ? ensured.exit : follow(attempt, ensured.running);
}

/** An end that came while no attempt watched: it is reported, not run over. */
async function endNobodySaw({ deps, node, request, place }: Followed): Promise<JobExit | "finished" | null> {
  if ((await node.launcher.find(place)) !== null) return null;
  if ((await readResult(place)) !== null) return "finished";
  const exit = await node.launcher.lastExit(place);
  if (exit === null || exit.start === (await readJob(deps, request.job)).lastEnd?.start) return null;
  return exit;
}

/** Books the end, so that the next attempt starts anew instead of finding it again. */
export async function reportEnd({ deps, node, request, place }: Followed, exit: JobExit | null): Promise<JobEnd> {
  const seen = exit ?? { start: null, exitCode: 0, signal: null, startError: null, memoryKill: false, seconds: null };
  const end = jobEnd({ job: request.job, exit: seen, deadline: request.deadlineSeconds, log: await node.launcher.logs(place) });
  const ids = await node.launcher.starts(place);
  await updateJob(deps, request.job, (record) => ({
    ...countStarts(record, ids),
    lastEnd: { start: seen.start, cause: end.cause },
  }));
  return end;
}
