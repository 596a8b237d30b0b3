/** Types of ApplicationFailure that cross a process border. A workflow decides by these names alone. */
export const failures = {
  /** Waits for a person: quota, auth, budget. details[0]: HoldDetail. Non-retryable; the unit goes back to the front. */
  held: "Held",
  /** The provider or server keeps failing; retryable with nextRetryDelay. */
  unavailable: "ProviderUnavailable",
  /** The request itself is wrong (400, 422), or this one call keeps failing while others are answered: retrying cannot help. */
  badRequest: "ProviderRefusedRequest",
  badConfig: "BadConfig",
  badData: "BadData",
  /** A stored file is not what its reference says; names the file. */
  digestMismatch: "DigestMismatch",
  /** The job ended with a cause of its own (exit 64, 65, 70). details[0]: JobEnd. Non-retryable. */
  jobFailed: "JobFailed",
  /** The job was preempted, killed or lost its runtime; the workflow starts it again within its limits. details[0]: JobEnd. */
  jobLost: "JobLost",
  /** Every device of the node is held by another job: tried again soon, and the slot is free meanwhile for the job that holds it. Retryable. */
  deviceBusy: "DeviceBusy",
  /** The canary of a serving generation failed: an adapter does not change the output. */
  canaryFailed: "CanaryFailed",
} as const;

export interface HoldDetail {
  readonly reason: "quota" | "auth" | "budget" | "operator" | "stalled" | "kept-share";
  /** What happened, to what. */
  readonly message: string;
  /** What a person can do. */
  readonly remedy: string;
}
