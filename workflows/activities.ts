import { ActivityCancellationType, proxyActivities } from "@temporalio/workflow";
import type { ActivityInterfaceFor, ActivityOptions } from "@temporalio/workflow";
import type { ControlActivities, NodeActivities, PoolActivities, UnitActivities } from "../contract/activities.ts";
import { failures } from "../contract/failures.ts";

/** An outage passes, and so does a busy device; anything else a retry can't mend ends the activity at once. */
const passing: readonly string[] = [failures.unavailable, failures.deviceBusy];
const final = [...Object.values(failures).filter((type) => !passing.includes(type)), "PayloadsTooLarge"];

const retry = {
  initialInterval: "1 second",
  backoffCoefficient: 2,
  maximumInterval: "1 minute",
  nonRetryableErrorTypes: final,
} as const;

/** Idempotent steps, quick but for those over many conversations: the control worker heartbeats for all of them. */
export function control(taskQueue: string, summary: string): ActivityInterfaceFor<ControlActivities> {
  return proxyActivities<ControlActivities>({
    taskQueue,
    summary,
    startToCloseTimeout: "1 hour",
    heartbeatTimeout: "30 seconds",
    retry: { ...retry, maximumInterval: "20 seconds", maximumAttempts: 8 },
  });
}

/** Conversations: no attempt limit, since Temporal carries long outages and lost workers; the stall hold shows them to a person. */
export function units(taskQueue: string, summary: string): ActivityInterfaceFor<UnitActivities> {
  return proxyActivities<UnitActivities>({
    taskQueue,
    summary,
    startToCloseTimeout: "1 hour",
    heartbeatTimeout: "15 seconds",
    cancellationType: ActivityCancellationType.WAIT_CANCELLATION_COMPLETED,
    retry,
  });
}

/** Waits as long as a server lives: the next generation may come at any time. */
export function servingWatch(taskQueue: string, summary: string): Pick<ActivityInterfaceFor<UnitActivities>, "awaitServing"> {
  return proxyActivities<UnitActivities>({
    taskQueue,
    summary,
    startToCloseTimeout: "7 days",
    heartbeatTimeout: "60 seconds",
    cancellationType: ActivityCancellationType.WAIT_CANCELLATION_COMPLETED,
    retry,
  });
}

/** Waits for a worker of the pool as long as it takes. */
export function pool(taskQueue: string, summary: string): ActivityInterfaceFor<PoolActivities> {
  return proxyActivities<PoolActivities>({ taskQueue, summary, startToCloseTimeout: "30 seconds", retry });
}

/**
 * Jobs on their node: no attempt limit, since restarts of workers, pauses and outages use up attempts. `startToCloseTimeout` counts the wait for a
 * device inside the activity, so it is the job's own deadline and a day. A node that takes nothing for `nodeLostSeconds` counts as lost.
 */
export function node(
  taskQueue: string,
  summary: string,
  { deadlineSeconds, nodeLostSeconds }: { deadlineSeconds: number; nodeLostSeconds: number },
): Pick<ActivityInterfaceFor<NodeActivities>, "runJob" | "keepServing"> {
  return proxyActivities<NodeActivities>({
    ...ownsProcess,
    taskQueue,
    summary,
    startToCloseTimeout: (deadlineSeconds + 24 * 3600) * 1000,
    scheduleToStartTimeout: nodeLostSeconds * 1000,
    heartbeatTimeout: "30 seconds",
  });
}

/** When the node doesn't answer in 30 s, the run closes and the node's reaper has the job. */
export function stopper(taskQueue: string, summary: string): Pick<ActivityInterfaceFor<NodeActivities>, "stopJob"> {
  return proxyActivities<NodeActivities>({
    ...ownsProcess,
    taskQueue,
    summary,
    scheduleToCloseTimeout: "30 seconds",
  });
}

const ownsProcess = { cancellationType: ActivityCancellationType.WAIT_CANCELLATION_COMPLETED, retry } satisfies ActivityOptions;
