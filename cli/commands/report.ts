import { CliError, exitCodes } from "../errors.ts";
import { commandOutput } from "../output.ts";
import { openProject, withStores } from "../project.ts";
import { findRun } from "../server/runs.ts";
import { outcomeText, readOutcome } from "../view/finished.ts";

/** `attune report RUN`: the gap table and where the report lies. */
export async function report(wanted: string, options: { readonly json?: boolean }): Promise<void> {
  const project = await openProject();
  await withStores(project, async (stores) => {
    const { run, workflowId } = await findRun(stores.records, wanted);
    const outcome = await readOutcome(stores, run);
    if (outcome === null)
      throw new CliError(exitCodes.failed, `${workflowId} has no report yet: npx attune status ${run.name} shows where it is.`);
    commandOutput(options).result(
      { workflowId, results: outcome.resultsFile, report: outcome.reportFile, headline: outcome.results.headline },
      outcomeText(outcome).trimStart(),
    );
  });
}
