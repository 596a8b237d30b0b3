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
  const bare = wanted.replace(/^exp\//, "");
  const [name = "", digest = ""] = bare.split("/");
  const found = runs.find(({ run }) => run.name === name && run.digest.startsWith(digest));
  if (found !== undefined) return found;
  const names = [...new Set(runs.map(({ run }) => run.name))];
  const meant = nearest(name, names);
  const hint =
    names.length === 0
      ? "nothing was run from this data directory yet"
      : meant === undefined
        ? `there are ${names.join(", ")}`
        : `did you mean ${meant}?`;
  throw usageError(`No run ${wanted} is known here; ${hint}`);
}
