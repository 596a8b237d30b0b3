import type { Ref } from "./ref.ts";
import type { RunRef } from "./units.ts";
import type { JobParams } from "./job-spec.ts";

/** A job's owner and place are settled before it starts. */
export interface Claim {
  readonly node: string;
  /** Changes when the node restarts. */
  readonly boot: string;
  /** Issued in order per job; output of a lower fence is never promoted. */
  readonly fence: number;
  /** The node's own task queue. */
  readonly queue: string;
}

export interface ClaimInput {
  readonly job: string;
  /** The fence of a claim whose node was lost; 0 at first. */
  readonly lostFence: number;
  /** What the job is to do: a claim of a job by this name that does something else is not taken up. */
  readonly work: JobDraft;
}

/** A file or folder to lay into the job folder: `path` below it. A folder is a JSON index `{files: [{path, ref}]}` behind the ref. */
export interface JobInputFile {
  readonly path: string;
  readonly ref: Ref;
}

/** A job before it has a name and a place. */
export interface JobDraft {
  readonly params: JobParams;
  readonly files: readonly JobInputFile[];
  readonly seed: number;
}

export interface JobRequest {
  readonly run: RunRef;
  /** Deterministic: built from the workflow id, never the run id. Matches the job spec's `name`. */
  readonly job: string;
  readonly claim: Claim;
  readonly params: JobParams;
  readonly files: readonly JobInputFile[];
  readonly seed: number;
  readonly deadlineSeconds: number;
}

export interface JobOutcome {
  readonly job: string;
  readonly fence: number;
  /** Promoted outputs by their path below `out/`. */
  readonly outputs: Readonly<Record<string, Ref>>;
  /** Small numbers only. */
  readonly metrics: Readonly<Record<string, number | string | boolean | null>>;
  /** All of the trainer's `result.json`. */
  readonly result: Ref;
}

/** Heartbeat of a running job, shown in the Temporal UI. */
export interface JobHeartbeat {
  readonly step: number;
  readonly of: number;
  readonly loss: number | null;
  readonly node: string;
  readonly pid: number | null;
}

export interface JobEnd {
  readonly job: string;
  readonly cause: "bad-spec" | "bad-data" | "failed" | "preempted" | "killed" | "deadline" | "out-of-memory" | "start-failed";
  readonly exitCode: number | null;
  readonly signal: string | null;
  /** Last lines of the job's log. */
  readonly tail: string;
}

/** Where a serving job answers; kept as a record under the serving's name. */
export interface Serving {
  readonly endpoint: string;
  /** Raised every time the server is started anew; a canary belongs to one generation. */
  readonly generation: number;
  /** Names the server knows: the base's, and `<context>-<digest8>` of each adapter. */
  readonly models: readonly string[];
  /** sha256 of the weights behind each name; part of call keys. */
  readonly weights: Readonly<Record<string, string>>;
  readonly engine: string;
}
