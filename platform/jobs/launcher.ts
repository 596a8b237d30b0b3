import type { JobKind } from "../../contract/job-spec.ts";
import type { JobPlace } from "./folder.ts";
import type { ProcessId } from "./processes.ts";

/** A job that runs here. */
export interface RunningJob extends ProcessId {
  readonly device: string;
  readonly startedAt: string;
}

/** How a job's process ended, as far as anyone saw it. */
export interface JobExit {
  /** Names the start, so that one end is reported once; null when nobody recorded it. */
  readonly start: string | null;
  readonly exitCode: number | null;
  readonly signal: string | null;
  /** The command could not be started at all. */
  readonly startError: string | null;
  /** The kernel killed something for memory while the job ran. */
  readonly memoryKill: boolean;
  /** Null when nobody recorded it. */
  readonly seconds: number | null;
}

export interface EnsureRequest {
  readonly place: JobPlace;
  readonly kind: JobKind;
  /** Tried in turn; the job itself locks the one it is given. */
  readonly devices: readonly string[];
  /** Called before each start, never for an adopted job. */
  readonly beforeStart: () => Promise<void>;
}

export type Ensured =
  | { readonly state: "running"; readonly running: RunningJob; readonly adopted: boolean }
  /** Started and already at its end. */
  | { readonly state: "ended"; readonly exit: JobExit }
  /** Every device is held by another job. */
  | { readonly state: "busy" };

export type JobStatus = { readonly state: "running" } | { readonly state: "ended"; readonly exit: JobExit };

/** Runs jobs somewhere. A job is found by its name and folder, never by what a worker remembers. */
export interface Launcher {
  /** The job of this place and fence when it runs, else null. A run of a lower fence is not it. */
  find(place: JobPlace): Promise<RunningJob | null>;
  /** Finds the job or starts it; two at once give one process. A run of another fence is stopped first. */
  ensure(request: EnsureRequest): Promise<Ensured>;
  status(place: JobPlace, running: RunningJob): Promise<JobStatus>;
  /** Ids of the times the job really ran under this fence, oldest first. */
  starts(place: JobPlace): Promise<readonly string[]>;
  /** The newest end under this fence that nobody saw; null when the job never ran or still runs. */
  lastExit(place: JobPlace): Promise<JobExit | null>;
  /** Head and tail of what the job printed at its newest start. */
  logs(place: JobPlace): Promise<string>;
  /** Names of the jobs of this data directory that have a process here. */
  live(): Promise<readonly string[]>;
  /** Asks the job (all fences) to end, ends it by force after `graceMs`; true when something was running. */
  stop(job: string, graceMs: number): Promise<boolean>;
  /** The same for what was started under one fence. */
  stopFence(place: JobPlace, graceMs: number): Promise<boolean>;
}
