import { usageError } from "../errors.ts";
import { commandOutput } from "../output.ts";
import { openProject, withStores } from "../project.ts";
import { findRun } from "../server/runs.ts";
import { jobPlace, listFences, listJobs } from "../../platform/jobs/folder.ts";
import { newestLog } from "../../platform/jobs/starts.ts";

/** `attune logs RUN [JOB]`: the run's jobs on this machine, or what one of them printed last. A job is named by any part of its name. */
export async function logs(wanted: string, part: string | undefined, options: { readonly json?: boolean }): Promise<void> {
  const output = commandOutput(options);
  const project = await openProject();
  await withStores(project, async ({ records }) => {
    const { workflowId } = await findRun(records, wanted);
    const prefix = `${workflowId.replaceAll("/", ".")}.`;
    const jobs = (await listJobs(project.home)).filter((job) => job.startsWith(prefix));
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
