import { commandOutput } from "../output.ts";
import { openProject, withStores } from "../project.ts";
import { resolvedExperiment } from "../../configs/schema/resolved.ts";
import { readPieces } from "../server/pieces.ts";
import { findRun } from "../server/runs.ts";
import { outcomeText, readOutcome, runFolder } from "../view/finished.ts";
import { table } from "../view/table.ts";

/** `attune show RUN`: what a run is made of and what each piece came to, from records and artifacts alone. */
export async function show(wanted: string, options: { readonly json?: boolean }): Promise<void> {
  const project = await openProject();
  await withStores(project, async (stores) => {
    const { run, plan, workflowId, rehearsal, at } = await findRun(stores.records, wanted);
    const pieces = await readPieces(stores, run, plan, { verify: true });
    const config = resolvedExperiment.parse(JSON.parse((await stores.artifacts.read(run.config)).toString("utf8")));
    const outcome = await readOutcome(stores, run);
    const text = [
      `${workflowId}${rehearsal ? " (rehearsal: not evidence)" : ""}, launched ${at}`,
      `digest  ${run.digest}`,
      `files   ${runFolder(project.home, run)}`,
      `models  ${Object.entries(config.answeredModels)
        .map(([role, model]) => `${role} ${model}`)
        .join(", ")}`,
      "",
      table(
        [
          ["piece", "state", "counts"],
          ...pieces.map(({ key, record, whole }) => [
            key,
            record === null ? "not there" : whole ? "done" : "files missing or altered",
            counts(record?.counts),
          ]),
        ],
        [0, 1, 2],
      ),
      ...(outcome === null ? [] : [outcomeText(outcome)]),
    ].join("\n");
    commandOutput(options).result(
      {
        workflowId,
        run,
        plan,
        rehearsal,
        at,
        config,
        pieces,
        results: outcome?.resultsFile ?? null,
        report: outcome?.reportFile ?? null,
      },
      text,
    );
  });
}

function counts(of: Readonly<Record<string, number>> | undefined): string {
  return Object.entries(of ?? {})
    .map(([name, count]) => `${name} ${count}`)
    .join(", ");
}
