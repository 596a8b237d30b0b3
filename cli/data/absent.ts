import { unitRowsPrefix } from "../../contract/places.ts";
import { arms } from "../../contract/stages.ts";
import type { RunRef, UnitOutcome } from "../../contract/units.ts";
import type { Records } from "../../platform/records/records.ts";
import type { Dataset } from "./datasets.ts";

/** Why a dataset holds no row of a unit, in the words of the unit's own record; it may have none. */
export async function whyAbsent(records: Records, run: RunRef, dataset: Dataset, unit: string): Promise<string> {
  const [, context = "", index = ""] = /^(.+)-(\d+)$/.exec(unit) ?? [];
  const stage = dataset.piece.split("/")[0] ?? "";
  const places = dataset.kind === "evaluation" ? arms.map((arm) => `${context}/${dataset.of}/${arm}`) : [context];
  const reasons: string[] = [];
  for (const place of places) {
    const record = await records.get(`${unitRowsPrefix(run, stage)}${place}/${index}`);
    const outcome = (record?.value as { outcome: UnitOutcome } | undefined)?.outcome;
    if (outcome !== undefined)
      reasons.push(outcome.status === "done" ? "it is finished" : `it ${verbs[outcome.status]}: ${outcome.reason}`);
  }
  const [reason] = new Set(reasons);
  if (reason === undefined)
    return "no such unit was tried in this run, or an error ended it (counted as failed:no-record); units are named like distress-00007";
  if (dataset.kind === "conversations" && reason === "it is finished")
    return "it was left out when the set was sealed: an earlier conversation is nearly the same (converse.nearDuplicates)";
  if (dataset.kind === "pairs" && reason === "it is finished")
    return `none of its turns passed the gate; npx attune show ${run.name}/${run.digest.slice(0, 12)} counts the drops by reason`;
  return reason;
}

const verbs = { dropped: "was dropped", failed: "gave up" };
