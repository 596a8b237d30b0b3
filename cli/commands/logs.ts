import { usageError } from "../errors.ts";
import { commandOutput } from "../output.ts";
import { openProject, type Project, withStores } from "../project.ts";
import { withClient } from "../server/connect.ts";
import { isNightId } from "../server/nights.ts";
import { findRun } from "../server/runs.ts";
import { findTarget } from "../server/targets.ts";
import { jobPlace, listFences, listJobs } from "../../platform/jobs/folder.ts";
import { newestLog } from "../../platform/jobs/starts.ts";
import type { Records } from "../../platform/records/records.ts";

/** `attune logs RUN [JOB]`: the jobs of the run or night on this machine, or what one of them printed last. A job is named by any part of its name. */
export async function logs(wanted: string, part: string | undefined, options: { readonly json?: boolean }): Promise<void> {
  const output = commandOutput(options);
  const project = await openProject();
  await withStores(project, async ({ records }) => {
    const all = await listJobs(project.home);
    const jobsOf = (id: string) => all.filter((job) => job.startsWith(jobPrefix(id)));
    // The server is asked only about a night that has no jobs here: it may be a slip.
    const known = isNightId(wanted) && jobsOf(wanted).length > 0;
    const workflowId = known ? wanted : await workflowIdOf(project, records, wanted);
    const prefix = jobPrefix(workflowId);
    const jobs = jobsOf(workflowId);
    if (part === undefined) {
      output.result(
        jobs,
        jobs.length === 0
          ? `${workflowId} has no jobs on this machine.`
          : [
              `Jobs of ${workflowId}:`,
              ...jobs.map((job) => `  ${job.slice(prefix.length)}`),
              `Show one: npx attune logs ${wanted} JOB`,
            ].join("\n"),
      );
      return;
    }
    const found = jobs.filter((job) => job.slice(prefix.length).includes(part.replaceAll("/", ".")));
    const [job] = found;
    if (job === undefined || found.length > 1) {
      throw usageError(
        `${part} names ${found.length === 0 ? "no job" : "several jobs"} of ${workflowId}: ${(found.length === 0 ? jobs : found).map((name) => name.slice(prefix.length)).join(", ")}`,
      );
    }
    const fence = (await listFences(project.home, job)).at(-1);
    const log = fence === undefined ? "" : await newestLog(jobPlace(project.home, job, fence));
    output.result({ job, fence: fence ?? null, log }, log.trimEnd() === "" ? `${job} has printed nothing.` : log.trimEnd());
  });
}

/** What the names of a workflow's jobs begin with: its id in the characters that a job's name may have. */
function jobPrefix(workflowId: string): string {
  return `${workflowId
    .toLowerCase()
    .replaceAll("/", ".")
    .replaceAll(/[^a-z0-9._-]/g, "-")}.`;
}

async function workflowIdOf(project: Project, records: Records, wanted: string): Promise<string> {
  if (!isNightId(wanted)) return (await findRun(records, wanted)).workflowId;
  return withClient(project, async (client) => (await findTarget(client, records, wanted)).workflowId);
}
