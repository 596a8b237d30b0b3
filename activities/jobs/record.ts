import type { Claim, JobEnd, JobOutcome } from "../../contract/jobs.ts";
import type { JobSpec } from "../../contract/job-spec.ts";
import type { ProcessId } from "../../platform/jobs/processes.ts";
import type { Records } from "../../platform/records/records.ts";
import { updateRecord } from "../../platform/records/update.ts";

/** What is known of a job beyond its claim, under `job/<job>`. */
export interface JobRecord {
  readonly owner: JobSpec["owner"] | null;
  /** Fences up to this one were stopped: no attempt may start or adopt them, and the next claim issues a higher one. */
  readonly stoppedFence: number;
  /** Processes ever started, by what ended the one before: `first`, `preempted`, `killed`, … */
  readonly starts: Readonly<Record<string, number>>;
  /** The starts that are counted, by id: a start is known from the job's folder, also when its worker died at once. */
  readonly counted: readonly string[];
  readonly adoptions: number;
  /** The newest end that was reported to a workflow or led to a new start. */
  readonly lastEnd: { readonly start: string | null; readonly cause: JobEnd["cause"] } | null;
  /** Of a serving job: generations so far, and the process of the newest. */
  readonly generation: number;
  readonly serving: ProcessId | null;
  readonly outcome: JobOutcome | null;
}

const unknown: JobRecord = {
  owner: null,
  stoppedFence: 0,
  starts: {},
  counted: [],
  adoptions: 0,
  lastEnd: null,
  generation: 0,
  serving: null,
  outcome: null,
};

type Stores = { readonly records: Records };

export async function readJob({ records }: Stores, job: string): Promise<JobRecord> {
  return ((await records.get(`job/${job}`))?.value as JobRecord | undefined) ?? unknown;
}

/** Answers what is stored then. */
export function updateJob({ records }: Stores, job: string, change: (record: JobRecord) => JobRecord): Promise<JobRecord> {
  return updateRecord<JobRecord>(records, `job/${job}`, (stored) => change(stored ?? unknown));
}

/** `work` is the digest of what the job was claimed for. */
export async function readClaim(
  { records }: Stores,
  job: string,
): Promise<{ claim: Claim; work: string; version: string } | null> {
  const stored = await records.get(`claim/${job}`);
  if (stored === null) return null;
  const value = stored.value as { claim: Claim; work: string } | Claim;
  // Before claims named their work, the value was the claim alone.
  return { ...("claim" in value ? value : { claim: value, work: "" }), version: stored.version };
}

/** Counts the starts that are not counted yet. The first of them followed the newest known end. */
export function countStarts(record: JobRecord, ids: readonly string[]): JobRecord {
  const fresh = ids.filter((id) => !record.counted.includes(id));
  const after = record.lastEnd?.cause ?? (record.counted.length === 0 ? "first" : "unknown");
  const starts = { ...record.starts };
  for (const [index] of fresh.entries()) {
    const cause = index === 0 ? after : "unknown";
    starts[cause] = (starts[cause] ?? 0) + 1;
  }
  return { ...record, starts, counted: [...record.counted, ...fresh] };
}
