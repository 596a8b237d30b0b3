import { readdir, readFile } from "node:fs/promises";
import { join } from "node:path";
import { jobResult, jobSpec } from "../../contract/job-spec.ts";
import type { JobResult, JobSpec } from "../../contract/job-spec.ts";

/**
 * Where a job lives: `<home>/jobs/<job>/`. Its lock is one for all fences, so that two fences never run side by side;
 * what a fence writes is its own: `fence-<n>/{spec.json, data/, progress.jsonl, checkpoints/, out/, result.json, run.json, starts/}`.
 */
export interface JobPlace {
  readonly job: string;
  readonly root: string;
  readonly lock: string;
  readonly fence: number;
  readonly folder: string;
  readonly spec: string;
  readonly progress: string;
  readonly checkpoints: string;
  readonly out: string;
  readonly result: string;
  readonly ready: string;
  /** One record and one log for each time the job was started under this fence. */
  readonly starts: string;
}

const jobName = /^[a-z0-9][a-z0-9._-]{0,119}$/;

/** @throws when the name is not on the allow-list: it becomes a folder's name */
export function jobPlace(home: string, job: string, fence: number): JobPlace {
  const root = jobRoot(home, job);
  const folder = join(root, `fence-${fence}`);
  return {
    job,
    root,
    lock: join(root, "lock"),
    fence,
    folder,
    spec: join(folder, "spec.json"),
    progress: join(folder, "progress.jsonl"),
    checkpoints: join(folder, "checkpoints"),
    out: join(folder, "out"),
    result: join(folder, "result.json"),
    ready: join(folder, "ready.json"),
    starts: join(folder, "starts"),
  };
}

export function jobRoot(home: string, job: string): string {
  if (!jobName.test(job)) {
    throw new Error(`${JSON.stringify(job)} is no name for a job; use 1–120 of a–z, 0–9, dots, dashes and underscores.`);
  }
  return join(home, "jobs", job);
}

/** Locks of the node's devices, shared by all its jobs. */
export function deviceLocks(home: string): string {
  return join(home, "locks");
}

/** Jobs that have a folder here, in name order. */
export async function listJobs(home: string): Promise<readonly string[]> {
  const entries = await listOrEmpty(join(home, "jobs"));
  return entries.filter((name) => jobName.test(name)).toSorted();
}

/** Fences of a job that have a folder, lowest first. */
export async function listFences(home: string, job: string): Promise<readonly number[]> {
  const entries = await listOrEmpty(jobRoot(home, job));
  return entries
    .map((name) => /^fence-(\d+)$/.exec(name)?.[1])
    .filter((number) => number !== undefined)
    .map(Number)
    .toSorted((a, b) => a - b);
}

/** The result the trainer wrote for this job and fence; null while there is none. */
export async function readResult(place: JobPlace): Promise<JobResult | null> {
  const parsed = jobResult.safeParse(await readJson(place.result));
  return parsed.success && parsed.data.name === place.job && parsed.data.fence === place.fence ? parsed.data : null;
}

/** The spec as it was laid; null where it is absent or damaged. */
export async function readSpec(place: JobPlace): Promise<JobSpec | null> {
  const parsed = jobSpec.safeParse(await readJson(place.spec));
  return parsed.success ? parsed.data : null;
}

/** Foreign JSON; undefined where the file is absent or not JSON. */
export async function readJson(file: string): Promise<unknown> {
  try {
    return JSON.parse(await readFile(file, "utf8")) as unknown;
  } catch {
    return undefined;
  }
}

async function listOrEmpty(folder: string): Promise<readonly string[]> {
  try {
    return await readdir(folder);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === "ENOENT") return [];
    throw error;
  }
}
