import { createHash } from "node:crypto";
import type { JobDraft, JobOutcome } from "../../contract/jobs.ts";
import { jobDoneKey } from "../../contract/places.ts";
import { canonicalJson } from "../../domain/canonical-json.ts";
import { updateRecord } from "../../platform/records/update.ts";
import type { Deps } from "../deps.ts";

type Stores = Pick<Deps, "artifacts" | "records" | "env">;

/** What a job came to, for any run that asks for the same work. */
interface DoneJob {
  readonly outcome: JobOutcome;
  /** Another version of the trainer may come to something else. */
  readonly codeVersion: string;
}

/** Equal for drafts that give the same job: where a file lies does not count, nor who asks. */
export function workDigest({ params, files, seed }: JobDraft): string {
  const inputs = files.map(({ path, ref }) => [path, ref.sha256]);
  return createHash("sha256").update(canonicalJson({ params, inputs, seed })).digest("hex");
}

/** True when all that the job left is there with its digests. */
export async function isWhole(artifacts: Stores["artifacts"], { result, outputs }: JobOutcome): Promise<boolean> {
  for (const ref of [result, ...Object.values(outputs)]) if (!(await artifacts.verify(ref))) return false;
  return true;
}

/** What the same work came to under this code, whichever run it was for, if all of it is still there. */
export async function findDone({ artifacts, records, env }: Stores, work: JobDraft): Promise<JobOutcome | null> {
  const stored = await records.get(jobDoneKey(workDigest(work)));
  if (stored === null) return null;
  const { outcome, codeVersion } = stored.value as DoneJob;
  if (codeVersion !== env.codeVersion) return null;
  return (await isWhole(artifacts, outcome)) ? outcome : null;
}

/** The newest stands: where it is written anew, the one before was lost, altered or of other code. */
export async function keepDone(
  { records, env }: Pick<Stores, "records" | "env">,
  work: JobDraft,
  outcome: JobOutcome,
): Promise<void> {
  await updateRecord<DoneJob>(records, jobDoneKey(workDigest(work)), () => ({ outcome, codeVersion: env.codeVersion }));
}
