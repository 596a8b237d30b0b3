import type { JobSpec } from "../../contract/job-spec.ts";
import { jobPlace, listFences, readSpec } from "../../platform/jobs/folder.ts";
import { listStarts } from "../../platform/jobs/starts.ts";
import type { Deps } from "../deps.ts";
import type { JobsNode } from "./node.ts";
import { stopJob } from "./stop.ts";

/** A job ends itself at its deadline; it is past it for certain this much later. */
const deadlineGraceMs = 60_000;

export interface Reaped {
  readonly job: string;
  readonly reason: "deadline" | "owner-closed";
}

/**
 * Ends jobs of this machine that nobody will end: those past their deadline, and those whose owner the server reports closed. `isOpen` answers
 * "unknown" whenever it can't be told, as for an owner on another cluster or namespace, or with no server in reach: such a job is left alone.
 */
export async function reap({
  deps,
  node,
  isOpen,
}: {
  deps: Pick<Deps, "records" | "env" | "log">;
  node: JobsNode;
  isOpen: (owner: JobSpec["owner"]) => Promise<boolean | "unknown">;
}): Promise<readonly Reaped[]> {
  const reaped: Reaped[] = [];
  for (const job of await node.launcher.live()) {
    const reason = await whyEnd(deps, job, isOpen);
    if (reason === null) continue;
    await stopJob(deps, node, job);
    deps.log.warn("A job that nobody looks after was ended", { job, reason });
    reaped.push({ job, reason });
  }
  return reaped;
}

async function whyEnd(
  { env }: Pick<Deps, "env">,
  job: string,
  isOpen: (owner: JobSpec["owner"]) => Promise<boolean | "unknown">,
): Promise<Reaped["reason"] | null> {
  const newest = await newestStart(env.home, job);
  if (newest === null) return null;
  const { spec, startedAt } = newest;
  if (env.now().getTime() > startedAt + spec.deadline_s * 1000 + deadlineGraceMs) return "deadline";
  return (await isOpen(spec.owner)) === false ? "owner-closed" : null;
}

async function newestStart(home: string, job: string): Promise<{ spec: JobSpec; startedAt: number } | null> {
  for (const fence of (await listFences(home, job)).toReversed()) {
    const place = jobPlace(home, job, fence);
    const start = (await listStarts(place)).at(-1);
    const spec = await readSpec(place);
    if (start !== undefined && spec !== null) return { spec, startedAt: Date.parse(start.startedAt) };
  }
  return null;
}
