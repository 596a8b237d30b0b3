import { ApplicationFailure, ApplicationFailureCategory } from "@temporalio/common";
import { failures } from "../../contract/failures.ts";
import type { JobEnd } from "../../contract/jobs.ts";
import { endCause, mayStartAgain } from "../../platform/jobs/end.ts";
import { lastLines } from "../../platform/jobs/capped-log.ts";
import type { JobExit } from "../../platform/jobs/launcher.ts";

const remedies: Readonly<Record<JobEnd["cause"], string>> = {
  "bad-spec": "The job's spec was refused: the trainer and Attune are of different versions, or a setting is out of range.",
  "bad-data": "Its input was refused; the log names the row or file.",
  failed: "It failed of its own; the log says why.",
  preempted: "It was asked to end and kept a checkpoint.",
  killed: "Somebody or something killed it.",
  deadline: "It reached its deadline; raise deadlineSeconds or give it less to do.",
  "out-of-memory": "Its memory was not enough; use a smaller micro_batch_size or sequence_len, or a larger machine.",
  "start-failed": "It could not be started; `attune doctor` checks the trainer's environment.",
};

export function jobEnd({ job, exit, deadline, log }: { job: string; exit: JobExit; deadline: number; log: string }): JobEnd {
  const tail = lastLines(exit.startError === null ? log : `${log}\n${exit.startError}`);
  return { job, cause: endCause({ exit, deadline, tail }), exitCode: exit.exitCode, signal: exit.signal, tail };
}

/** The activity never tries again by itself: the workflow counts starts by cause and decides. */
export function jobFailure(end: JobEnd): ApplicationFailure {
  const again = mayStartAgain(end.cause);
  const how = end.signal ?? (end.exitCode === null ? "no exit code seen" : `exit ${end.exitCode}`);
  return ApplicationFailure.create({
    type: again ? failures.jobLost : failures.jobFailed,
    message: `Job ${end.job} ended (${end.cause}, ${how}). ${remedies[end.cause]}`,
    nonRetryable: true,
    details: [end],
    ...(end.cause === "preempted" ? { category: ApplicationFailureCategory.BENIGN } : {}),
  });
}

/** An attempt that may not act any more: another fence holds the claim, or the job was stopped. */
export function notMine(job: string, why: string): ApplicationFailure {
  const end: JobEnd = { job, cause: "killed", exitCode: null, signal: null, tail: "" };
  return ApplicationFailure.create({
    type: failures.jobLost,
    message: `Job ${job} is left alone: ${why}.`,
    nonRetryable: true,
    details: [end],
  });
}

/** Between two tries for a device that other jobs hold, in ms. */
const busyMs = 5000;

/** Not a failure of the job: it has not started. */
export function deviceBusy(job: string, devices: readonly string[]): ApplicationFailure {
  return ApplicationFailure.create({
    type: failures.deviceBusy,
    message: `Job ${job} waits: ${devices.join(", ")} ${devices.length === 1 ? "is" : "are"} held by other jobs.`,
    nextRetryDelay: busyMs,
    category: ApplicationFailureCategory.BENIGN,
  });
}
