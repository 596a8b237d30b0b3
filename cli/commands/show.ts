import { z } from "zod";
import type { RunRef } from "../../contract/units.ts";
import { commandOutput } from "../output.ts";
import { openProject, type Stores, withStores } from "../project.ts";
import { resolvedExperiment } from "../../configs/schema/resolved.ts";
import { readPieces } from "../server/pieces.ts";
import { findRun } from "../server/runs.ts";
import { outcomeText, readOutcome, runFolder } from "../view/finished.ts";
import { table } from "../view/table.ts";

/** All that is read of a run's configuration: an older version may have written the rest in another form. */
const answered = z.object({ answeredModels: resolvedExperiment.shape.answeredModels });

/** `attune show RUN`: what a run is made of and what each piece came to, from records and artifacts alone. */
export async function show(wanted: string, options: { readonly json?: boolean }): Promise<void> {
  const project = await openProject();
  await withStores(project, async (stores) => {
    const { run, plan, workflowId, rehearsal, at } = await findRun(stores.records, wanted);
    const pieces = await readPieces(stores, run, plan, { verify: true });
    const config = await storedConfig(stores.artifacts, run);
    const models = answered.safeParse(config).data?.answeredModels;
    const outcome = await readOutcome(stores, run);
    const text = [
      `${workflowId}${rehearsal ? " (rehearsal: not evidence)" : ""}, launched ${at}`,
      `digest  ${run.digest}`,
      `files   ${runFolder(project, run)}`,
      ...(models === undefined ? [] : [`models  ${modelsText(models)}`]),
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

/** As it was stored, whatever wrote it; null when the file is no longer there or altered. */
async function storedConfig(artifacts: Stores["artifacts"], { config }: RunRef): Promise<unknown> {
  if (!(await artifacts.verify(config))) return null;
  return JSON.parse((await artifacts.read(config)).toString("utf8")) as unknown;
}

function modelsText(models: Readonly<Record<string, string>>): string {
  return Object.entries(models)
    .map(([role, model]) => `${role} ${model}`)
    .join(", ");
}

function counts(of: Readonly<Record<string, number>> | undefined): string {
  return Object.entries(of ?? {})
    .map(([name, count]) => `${name} ${count}`)
    .join(", ");
}
