import type { RunRef } from "../contract/units.ts";
import { fnv1a } from "../domain/hash.ts";

/** How a person names the run that this workflow works for: an experiment by its name, a night by its workflow's id. */
export function shownName({ name, epoch }: Pick<RunRef, "name" | "epoch">, workflowId: string): string {
  return epoch === "" ? name : workflowId.split("/").slice(0, 2).join("/");
}

/** Longest job name that the job spec allows. */
const longest = 120;

/**
 * A job's name, from the id of the workflow it works for and its piece: `exp.quickstart.0123456789ab.align.smollm2-135m.distress`. The same piece has
 * the same name in every run of the workflow, so that a job that is still running is found again.
 */
export function jobName(workflowId: string, piece: string): string {
  const name = `${workflowId}/${piece}`
    .toLowerCase()
    .replaceAll("/", ".")
    .replaceAll(/[^a-z0-9._-]/g, "-")
    .replace(/^[^a-z0-9]+/, "");
  return name.length <= longest ? name : `${name.slice(0, longest - 9)}-${suffix(name)}`;
}

/** 8 hex digits: names cut short stay apart. */
const suffix = (name: string) => fnv1a(name).toString(16).padStart(8, "0");
