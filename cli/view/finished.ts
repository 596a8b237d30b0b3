import { stageRecordKey } from "../../contract/places.ts";
import type { StageRecord } from "../../contract/stages.ts";
import type { RunRef } from "../../contract/units.ts";
import type { Results } from "../../domain/results.ts";
import { summary } from "../../domain/summary.ts";
import { exitCodes } from "../errors.ts";
import type { Output } from "../output.ts";
import { placeOfArtifact, type Project, type Stores } from "../project.ts";

export interface Outcome {
  readonly results: Results;
  readonly resultsFile: string;
  readonly reportFile: string | null;
}

/** Results and report of a run; null before they are made. */
export async function readOutcome({ artifacts, records }: Stores, run: RunRef): Promise<Outcome | null> {
  const record = (await records.get(stageRecordKey(run, "report")))?.value as StageRecord | undefined;
  const { results, report } = record?.outputs ?? {};
  if (results === undefined) return null;
  return {
    results: JSON.parse((await artifacts.read(results)).toString("utf8")) as Results,
    resultsFile: await artifacts.localPath(results),
    reportFile: report === undefined ? null : await artifacts.localPath(report),
  };
}

interface Finished {
  readonly run: RunRef;
  readonly stores: Stores;
  readonly output: Output;
  readonly state: "complete" | "stopped-after-stage";
}

/** Prints what the run came to; answers the exit code. */
export async function finishedRun({ run, stores, output, state }: Finished): Promise<number> {
  const outcome = await readOutcome(stores, run);
  const record = {
    event: "done",
    name: run.name,
    digest: run.digest,
    state,
    exitCode: exitCodes.done,
    headline: outcome?.results.headline ?? null,
    results: outcome?.resultsFile ?? null,
    report: outcome?.reportFile ?? null,
  };
  output.result(
    record,
    outcome === null ? `Stopped after its stage. Go on: run the same file without --until.` : outcomeText(outcome),
  );
  return exitCodes.done;
}

export function outcomeText({ results, resultsFile, reportFile }: Outcome): string {
  return ["", summary(results), "", ...(reportFile === null ? [] : [`Report   ${reportFile}`]), `Results  ${resultsFile}`].join(
    "\n",
  );
}

/** Folder of the run's files, for people. */
export function runFolder(project: Pick<Project, "home" | "env">, { name, digest }: Pick<RunRef, "name" | "digest">): string {
  return placeOfArtifact(project, `runs/${name}/${digest}`);
}
