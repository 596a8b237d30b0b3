import type { Client } from "@temporalio/client";
import type { Records } from "../../platform/records/records.ts";
import { usageError } from "../errors.ts";
import { findNight, isNightId, openNightOf } from "./nights.ts";
import { type KnownRun, knownRuns, matching, notKnown } from "./runs.ts";

/** What a command looks at or steers: a run of an experiment, or a night of its published experts. */
export type Target = {
  readonly workflowId: string;
  /** How a command names it: a run by its experiment, an older one with its digest, a night by its id. */
  readonly name: string;
} & ({ readonly kind: "run"; readonly known: KnownRun } | { readonly kind: "night" });

/**
 * The run (as `findRun` finds it) or night (by workflow id) that a person means.
 * @throws CliError (exit 2) when there is none
 */
export async function findTarget(client: Client, records: Records, wanted: string): Promise<Target> {
  const runs = await knownRuns(records);
  const known = matching(runs, wanted);
  if (known !== undefined) {
    const { name, digest } = known.run;
    const newest = matching(runs, name) === known;
    return { kind: "run", workflowId: known.workflowId, name: newest ? name : `${name}/${digest.slice(0, 12)}`, known };
  }
  if (isNightId(wanted)) {
    const workflowId = await findNight(client, wanted);
    return { kind: "night", workflowId, name: workflowId };
  }
  throw usageError([notKnown(runs, wanted), await openNightText(client, wanted)].filter((text) => text !== "").join(". "));
}

/** Says that a night of the experiment is open, and its id; empty when none is. */
export async function openNightText(client: Client, experiment: string): Promise<string> {
  const night = await openNightOf(client, experiment);
  return night === null ? "" : `A night of ${experiment} is open; give its id: ${night}`;
}
