import { join } from "node:path";
import { rm } from "node:fs/promises";
import type { JobOutcome, JobRequest } from "../../contract/jobs.ts";
import type { JobResult } from "../../contract/job-spec.ts";
import type { Ref } from "../../contract/ref.ts";
import { jobPlace, listFences } from "../../platform/jobs/folder.ts";
import type { JobPlace } from "../../platform/jobs/folder.ts";
import type { Deps } from "../deps.ts";
import { badData } from "../failures.ts";
import { runUri } from "../stages/records.ts";
import { whyNotMine } from "./claim.ts";
import { notMine } from "./failures.ts";
import { readJob, updateJob } from "./record.ts";
import { isWhole, keepDone } from "./reuse.ts";

type Stores = Pick<Deps, "artifacts" | "records" | "env">;

const outFolder = "out/";

/** The outcome an earlier attempt promoted under this fence, if all of it is still there. */
export async function promoted(
  { artifacts, records }: Pick<Stores, "artifacts" | "records">,
  job: string,
  fence: number,
): Promise<JobOutcome | null> {
  const { outcome } = await readJob({ records }, job);
  if (outcome === null || outcome.fence !== fence) return null;
  return (await isWhole(artifacts, outcome)) ? outcome : null;
}

/**
 * Moves a finished job's outputs to the artifacts, each checked against the digest the trainer gave.
 * @throws JobLost when the claim has moved on: a returning old job publishes nothing
 */
export async function promote(stores: Stores, request: JobRequest, place: JobPlace, result: JobResult): Promise<JobOutcome> {
  const base = `${runUri(request.run)}/jobs/${place.job}/fence-${place.fence}`;
  const outputs: Record<string, Ref> = {};
  for (const { path, sha256 } of result.outputs.filter((output) => output.path.startsWith(outFolder))) {
    const ref = await stores.artifacts.putFile(`${base}/${path}`, join(place.folder, path));
    if (ref.sha256 !== sha256)
      throw badData(`Output ${path} of job ${place.job} was altered after it was written; run the experiment again.`);
    outputs[path.slice(outFolder.length)] = ref;
  }
  const outcome: JobOutcome = {
    job: place.job,
    fence: place.fence,
    outputs,
    metrics: flatten(result.metrics),
    result: await stores.artifacts.putFile(`${base}/result.json`, place.result),
  };
  const why = await whyNotMine(stores, place.job, place.fence);
  if (why !== null) throw notMine(place.job, why);
  await updateJob(stores, place.job, (record) => ({ ...record, outcome }));
  await keepDone(stores, request, outcome);
  // Optimizer states are the bulk of a job's folder, and nothing goes on from them any more.
  const fences = await listFences(stores.env.home, place.job);
  await Promise.all(
    fences
      .filter((fence) => fence <= place.fence)
      .map((fence) => rm(jobPlace(stores.env.home, place.job, fence).checkpoints, { recursive: true, force: true })),
  );
  return outcome;
}

/** Scalars by their dotted path (`overall.mae.value`); lists and texts over 200 characters stay in the result file. */
function flatten(metrics: Readonly<Record<string, unknown>>, prefix = ""): JobOutcome["metrics"] {
  const found: Record<string, number | string | boolean | null> = {};
  for (const [name, value] of Object.entries(metrics)) {
    const path = prefix + name;
    if (value === null || typeof value === "number" || typeof value === "boolean") found[path] = value;
    else if (typeof value === "string" && value.length <= 200) found[path] = value;
    else if (typeof value === "object" && !Array.isArray(value))
      Object.assign(found, flatten(value as Readonly<Record<string, unknown>>, `${path}.`));
  }
  return found;
}
