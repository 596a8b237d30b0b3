import type { Client } from "@temporalio/client";

/** Steps of a run that failed for one reason and are tried again by Temporal. */
export interface Retries {
  /** Why the last attempt failed, with the failure's type where that says more. */
  readonly error: string;
  readonly steps: number;
  /** The one that was tried most often. */
  readonly activity: string;
  readonly workflowId: string;
  /** The attempt that it is at, from 1. */
  readonly attempt: number;
}

/** Few are open at a time; what is beyond says nothing new. */
const workflowsAtMost = 40;
const longestError = 200;

/** What an open run or night tries again now, over all its workflows; the reason that most share comes first. */
export async function retriesNow(client: Client, workflowId: string): Promise<readonly Retries[]> {
  const found = new Map<string, Retries>();
  let looked = 0;
  const query = `WorkflowId STARTS_WITH "${workflowId}" AND ExecutionStatus = "Running"`;
  for await (const open of client.workflow.list({ query })) {
    looked += 1;
    if (looked > workflowsAtMost) break;
    const described = await client.workflow
      .getHandle(open.workflowId)
      .describe()
      // It has ended since.
      .catch(() => null);
    for (const { attempt, activityType, lastFailure } of described?.raw.pendingActivities ?? []) {
      if (!lastFailure) continue;
      const type = lastFailure.applicationFailureInfo?.type ?? "";
      const words = (lastFailure.message ?? "").split("\n", 1)[0] ?? "";
      const error = `${type === "" || type === "Error" ? "" : `${type}: `}${words}`.slice(0, longestError);
      const before = found.get(error);
      const tried = attempt ?? 1;
      const most =
        before !== undefined && before.attempt >= tried
          ? before
          : { activity: activityType?.name ?? "", workflowId: open.workflowId, attempt: tried };
      found.set(error, { ...most, error, steps: (before?.steps ?? 0) + 1 });
    }
  }
  return [...found.values()].toSorted((a, b) => b.steps - a.steps || b.attempt - a.attempt);
}

const reasonsShown = 5;

export function retriesText(retries: readonly Retries[]): string {
  const lines = retries.slice(0, reasonsShown).map(({ error, steps, activity, workflowId, attempt }) => {
    const which = steps === 1 ? `${activity} of ${workflowId}` : `${steps} steps, such as ${activity} of ${workflowId}`;
    return `Trying again: ${which}, attempt ${attempt}: ${error}`;
  });
  const more = retries.length - lines.length;
  return [...lines, ...(more > 0 ? [`… and for ${more} more reasons`] : [])].join("\n");
}
