import type { Client } from "@temporalio/client";

/** Activities that run now, by the identity of the worker that has them. */
export async function pendingOn(client: Client): Promise<(worker: string) => number> {
  const workers: string[] = [];
  for await (const { workflowId } of client.workflow.list({ query: "ExecutionStatus = 'Running'" })) {
    const { raw } = await client.workflow.getHandle(workflowId).describe();
    workers.push(...(raw.pendingActivities ?? []).map(({ lastWorkerIdentity }) => lastWorkerIdentity ?? ""));
  }
  return (worker) => workers.filter((identity) => identity.startsWith(worker)).length;
}

/** Activities that were completed, by type and the identity of the worker that completed them, as the histories have it. */
export async function completedBy(client: Client): Promise<(type: string, worker: string) => number> {
  const completed: { type: string; worker: string }[] = [];
  for await (const { workflowId, runId } of client.workflow.list()) {
    const { events } = await client.workflow.getHandle(workflowId, runId).fetchHistory();
    for (const { activityTaskCompletedEventAttributes: end } of events ?? []) {
      if (!end) continue;
      const scheduled = events?.find(({ eventId }) => String(eventId) === String(end.scheduledEventId));
      completed.push({
        type: scheduled?.activityTaskScheduledEventAttributes?.activityType?.name ?? "",
        worker: end.identity ?? "",
      });
    }
  }
  return (type, worker) => completed.filter((one) => one.type === type && one.worker.startsWith(worker)).length;
}
