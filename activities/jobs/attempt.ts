import { Context } from "@temporalio/activity";
import type { JobRequest } from "../../contract/jobs.ts";
import { jobPlace } from "../../platform/jobs/folder.ts";
import { toFailure } from "../failures.ts";
import { untilCancelled } from "./cancel.ts";
import type { Followed } from "./follow.ts";
import { heartOf } from "./heart.ts";
import type { JobDeps, JobsNode } from "./node.ts";
import { stopJob } from "./stop.ts";

/** What an attempt knows of its job, with all that its steps need from outside. */
export type Attempt = Followed & { readonly deps: JobDeps };

/** One attempt of an activity that owns a job: when it is cancelled the job is stopped, and what it throws is typed. */
export async function attemptJob<T>(
  deps: JobDeps,
  node: JobsNode,
  request: JobRequest,
  body: (attempt: Attempt) => Promise<T>,
): Promise<T> {
  const context = Context.current();
  const heart = heartOf(context, node.name);
  const attempt: Attempt = {
    deps,
    node,
    context,
    heart,
    request,
    place: jobPlace(deps.env.home, request.job, request.claim.fence),
  };
  const stop = () => heart.during(() => stopJob(deps, node, request.job));
  return untilCancelled(context, stop, () => body(attempt)).catch((error: unknown) => {
    throw toFailure(error);
  });
}
