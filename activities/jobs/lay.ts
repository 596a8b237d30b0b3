import { createHash, randomUUID } from "node:crypto";
import { copyFile, cp, mkdir, readdir, readFile, rename, rm, writeFile } from "node:fs/promises";
import { dirname, join, resolve, sep } from "node:path";
import { ApplicationFailure } from "@temporalio/common";
import { failures } from "../../contract/failures.ts";
import { jobSpec, jobSpecVersion } from "../../contract/job-spec.ts";
import type { JobParams, JobSpec } from "../../contract/job-spec.ts";
import type { JobInputFile, JobRequest } from "../../contract/jobs.ts";
import type { Ref } from "../../contract/ref.ts";
import { readFolder } from "../../platform/artifacts/folder.ts";
import { jobPlace, listFences } from "../../platform/jobs/folder.ts";
import type { JobPlace } from "../../platform/jobs/folder.ts";
import type { Deps } from "../deps.ts";

type Stores = Pick<Deps, "artifacts" | "env">;

/** Makes the job folder ready for a start: inputs, checkpoints of an earlier fence, spec. Safe to repeat. */
export async function layFolder(
  { artifacts, env }: Stores,
  {
    request,
    place,
    owner,
    devices,
    address,
  }: { request: JobRequest; place: JobPlace; owner: JobSpec["owner"]; devices: readonly string[]; address: string },
): Promise<void> {
  const files = await expand(artifacts, request.files);
  for (const { path, ref } of files) await layFile(artifacts, place, path, ref);
  await takeOverCheckpoints(env.home, place);
  const spec = checkedSpec({
    version: jobSpecVersion,
    name: request.job,
    owner,
    fence: place.fence,
    deadline_s: request.deadlineSeconds,
    seed: request.seed,
    devices: [...devices],
    address,
    inputs: files.map(({ path, ref }) => ({ path, sha256: ref.sha256 })),
    params: withModelFolders(request.params, env.home),
  });
  // A server of an earlier start may have left it; a reader would take it for the new one's.
  await rm(place.ready, { force: true });
  await replace(place.spec, async (temporary) => writeFile(temporary, `${JSON.stringify(spec, null, 1)}\n`));
}

function checkedSpec(draft: unknown): JobSpec {
  const parsed = jobSpec.safeParse(draft);
  if (parsed.success) return parsed.data;
  const problems = parsed.error.issues.map(({ path, message }) => `${path.join(".")}: ${message}`).join("; ");
  throw ApplicationFailure.create({
    type: failures.badConfig,
    message: `A job's spec does not fit its schema: ${problems}`,
    nonRetryable: true,
  });
}

/** Folders are spelt out: each of their files is an input with its own digest. */
async function expand(artifacts: Deps["artifacts"], files: readonly JobInputFile[]): Promise<readonly JobInputFile[]> {
  const spelt = await Promise.all(
    files.map(async ({ path, ref }) => {
      if (!ref.uri.endsWith("/index.json")) return [{ path, ref }];
      const index = await readFolder(artifacts, ref);
      return index.files.map((file) => ({ path: `${path}/${file.path}`, ref: file.ref }));
    }),
  );
  return spelt.flat();
}

async function layFile(artifacts: Deps["artifacts"], place: JobPlace, path: string, ref: Ref): Promise<void> {
  const target = resolve(place.folder, path);
  if (!target.startsWith(place.folder + sep)) throw new Error(`Input ${path} of job ${place.job} would lie outside its folder.`);
  if ((await digestOrNull(target)) === ref.sha256) return;
  const source = await artifacts.localPath(ref);
  await replace(target, async (temporary) => copyFile(source, temporary));
}

/** The newest lower fence on this machine that has checkpoints gives them: a job that moved to a new fence goes on where it was. */
async function takeOverCheckpoints(home: string, place: JobPlace): Promise<void> {
  if (await hasFiles(place.checkpoints)) return;
  const lower = (await listFences(home, place.job)).filter((fence) => fence < place.fence).toReversed();
  for (const fence of lower) {
    const { checkpoints } = jobPlace(home, place.job, fence);
    if (!(await hasFiles(checkpoints))) continue;
    await replace(place.checkpoints, async (temporary) => cp(checkpoints, temporary, { recursive: true }));
    return;
  }
}

async function hasFiles(folder: string): Promise<boolean> {
  return (await readdir(folder).catch(() => [])).length > 0;
}

/** Weights are named below the data directory's models/, so that a digest of the parameters says nothing about a machine. */
function withModelFolders(params: JobParams, home: string): JobParams {
  const placed = <T extends { readonly dir: string }>(weights: T): T => ({
    ...weights,
    dir: resolve(home, "models", weights.dir),
  });
  return "base_model" in params
    ? { ...params, base_model: placed(params.base_model) }
    : { ...params, encoder: placed(params.encoder) };
}

async function replace(target: string, write: (temporary: string) => Promise<void>): Promise<void> {
  await mkdir(dirname(target), { recursive: true });
  const temporary = join(dirname(target), `.${randomUUID()}.part`);
  try {
    await write(temporary);
    await rename(temporary, target);
  } finally {
    await rm(temporary, { recursive: true, force: true });
  }
}

async function digestOrNull(file: string): Promise<string | null> {
  try {
    return createHash("sha256")
      .update(await readFile(file))
      .digest("hex");
  } catch {
    return null;
  }
}
