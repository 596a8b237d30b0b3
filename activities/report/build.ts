import type { StageRecord } from "../../contract/stages.ts";
import type { RunRef } from "../../contract/units.ts";
import { modelWarnings } from "../../domain/answered-models.ts";
import { judgeWarnings } from "../../domain/canaries.ts";
import { fingerprintNotes } from "../../domain/fingerprints.ts";
import { heedCancel } from "../cancelled.ts";
import type { Deps } from "../deps.ts";
import { findStageRecord, runUri, writeStageRecord } from "../stages/records.ts";
import { assemble } from "./assemble.ts";
import { gather } from "./gather.ts";
import { reportPage } from "./html/page.ts";

/** Writes `results.json` and `report.html`, then the stage record that names them. */
export async function buildReport(deps: Deps, { run }: { run: RunRef }): Promise<StageRecord> {
  const done = await findStageRecord(deps, run, "report");
  if (done !== null) return done;
  const results = assemble(await gather(deps, run));
  for (const warning of [...modelWarnings(results.provenance.answered ?? []), ...judgeWarnings(results.measures)])
    deps.log.warn(warning, { run: run.name });
  for (const note of fingerprintNotes(results.provenance.answered ?? [])) deps.log.info(note, { run: run.name });
  const folder = runUri(run);
  const { pooled } = results.headline.gapReduction;
  return writeStageRecord(deps, run, {
    key: "report",
    stage: "report",
    outputs: {
      results: await replace(deps, `${folder}/results.json`, JSON.stringify(results, null, 1)),
      report: await replace(deps, `${folder}/report.html`, reportPage(results)),
    },
    counts: {},
    facts: { gapReduction: pooled.value, verdict: results.headline.verdict, rehearsal: results.rehearsal },
  });
}

/** Without a stage record these files are leftovers of an attempt that did not finish, or of a report that is being rebuilt. */
async function replace(deps: Deps, uri: string, content: string) {
  heedCancel();
  await deps.artifacts.remove(uri);
  return deps.artifacts.put(uri, content);
}
