import { Context } from "@temporalio/activity";
import type { JobEnd, JobOutcome, JobRequest } from "../../contract/jobs.ts";
import { jobPlace, readResult } from "../../platform/jobs/folder.ts";
import type { JobExit } from "../../platform/jobs/launcher.ts";
import { toFailure } from "../failures.ts";
import { untilCancelled } from "./cancel.ts";
import { promote, promoted } from "./collect.ts";
import { jobEnd, jobFailure } from "./failures.ts";
import { follow } from "./follow.ts";
import type { Followed } from "./follow.ts";
import { heartOf } from "./heart.ts";
import type { JobDeps, JobsNode } from "./node.ts";
import { countStarts, readJob, updateJob } from "./record.ts";
import { admit, ensureJob } from "./start.ts";
import { stopJob } from "./stop.ts";

/** ensure → follow → collect. A retry adopts the running job, or collects what an earlier attempt's job left. */
export async function runJob(deps: JobDeps, node: JobsNode, request: JobRequest): Promise<JobOutcome> {
  const context = Context.current();
  const place = jobPlace(deps.env.home, request.job, request.claim.fence);
  const heart = heartOf(context, node.name);
  const followed = { deps, node, context, heart, request, place };
  return untilCancelled(
    context,
    () => heart.during(() => stopJob(deps, node, request.job)),
    async () => {
      await admit(followed);
      const earlier = await promoted(deps, request.job, place.fence);
      if (earlier !== null) return earlier;
      const exit = (await endNobodySaw(followed)) ?? (await runToEnd({ ...followed, deps }));
      const result = exit === "finished" || exit.exitCode === 0 || exit.exitCode === null ? await readResult(place) : null;
      if (result !== null) return heart.during(() => promote(deps, request, place, result));
      throw jobFailure(await reportEnd(followed, exit === "finished" ? null : exit));
    },
  ).catch((error: unknown) => {
    throw toFailure(error);
  });
}

async function runToEnd(followed: Followed & { deps: JobDeps }): Promise<JobExit> {
  const ensured = await ensureJob(followed);
  return ensured.state === "ended" ? ensured.exit : follow(followed, ensured.running);
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
