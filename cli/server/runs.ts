import type { Launch } from "../../contract/places.ts";
import { experimentWorkflowId } from "../../contract/places.ts";
import type { Records } from "../../platform/records/records.ts";
import { usageError } from "../errors.ts";
import { nearest } from "../config/nearest.ts";

/** A run that was launched from this data directory. */
export interface KnownRun extends Launch {
  readonly workflowId: string;
}

/** Runs by launch time, newest first. */
export async function knownRuns(records: Records): Promise<readonly KnownRun[]> {
  const stored = await records.list("launch/");
  return stored
    .map(({ value }) => value as Launch)
    .map((launch) => ({ ...launch, workflowId: experimentWorkflowId(launch.run) }))
    .toSorted((a, b) => (a.at < b.at ? 1 : -1));
}

/**
 * The run that a person means: by name (its newest), by `name/digest…`, or by workflow id.
 * @throws CliError (exit 2) when there is none
 */
export async function findRun(records: Records, wanted: string): Promise<KnownRun> {
  const runs = await knownRuns(records);
  const found = matching(runs, wanted);
  if (found === undefined) throw usageError(notKnown(runs, wanted));
  return found;
}

/** The first of `runs` that these words name. */
export function matching(runs: readonly KnownRun[], wanted: string): KnownRun | undefined {
  const [name, digest = ""] = words(wanted);
  return runs.find(({ run }) => run.name === name && run.digest.startsWith(digest));
}

/** Says that no run is named so, and which there are. */
export function notKnown(runs: readonly KnownRun[], wanted: string): string {
  const names = [...new Set(runs.map(({ run }) => run.name))];
  const meant = nearest(words(wanted)[0] ?? "", names);
  const hint =
    names.length === 0
      ? "nothing was run from this data directory yet"
      : meant === undefined
        ? `there are ${names.join(", ")}`
        : `did you mean ${meant}?`;
  return `No run ${wanted} is known here; ${hint}`;
}

function words(wanted: string): readonly string[] {
  return wanted.replace(/^exp\//, "").split("/");
}
