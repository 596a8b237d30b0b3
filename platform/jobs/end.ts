import type { JobEnd } from "../../contract/jobs.ts";
import { exitCodes } from "../../contract/job-spec.ts";
import type { JobExit } from "./launcher.ts";

const outOfMemory = /CUDA out of memory|OutOfMemoryError|MemoryError|can't allocate memory|Cannot allocate memory|std::bad_alloc/;

/** Signals by which somebody ends a process, as opposed to those by which it ends of its own fault. */
const fromOutside = new Set(["SIGKILL", "SIGTERM", "SIGINT", "SIGHUP", "SIGQUIT"]);

/** Shells and container runtimes report a signal as 128 + its number. */
const signalCodes: Readonly<Record<number, string>> = {
  129: "SIGHUP",
  130: "SIGINT",
  134: "SIGABRT",
  137: "SIGKILL",
  139: "SIGSEGV",
  143: "SIGTERM",
};

const byExitCode: Readonly<Record<number, JobEnd["cause"]>> = {
  [exitCodes.badSpec]: "bad-spec",
  [exitCodes.badData]: "bad-data",
  [exitCodes.preempted]: "preempted",
};

/** Why a job ended without a result. `deadline` is the job's own, in seconds; `tail` the end of its log. */
export function endCause({ exit, deadline, tail }: { exit: JobExit; deadline: number; tail: string }): JobEnd["cause"] {
  if (exit.startError !== null) return "start-failed";
  const known = byExitCode[exit.exitCode ?? -1];
  const signal = exit.signal ?? signalCodes[exit.exitCode ?? -1] ?? null;
  const late = exit.seconds !== null && exit.seconds >= deadline;
  if (signal === "SIGALRM" || (late && (known === undefined || known === "preempted"))) return "deadline";
  if (signal === "SIGKILL" && exit.memoryKill) return "out-of-memory";
  if (signal !== null) return fromOutside.has(signal) ? "killed" : "failed";
  // Nobody recorded an end: the job and its supervisor were killed together.
  if (exit.exitCode === null) return "killed";
  if (known !== undefined) return known;
  return outOfMemory.test(tail) ? "out-of-memory" : "failed";
}

/** Ends after which the same job may simply be started again: nothing was wrong with it. */
export function mayStartAgain(cause: JobEnd["cause"]): boolean {
  return cause === "preempted" || cause === "killed";
}
