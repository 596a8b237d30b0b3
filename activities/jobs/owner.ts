import type { Client } from "@temporalio/client";
import { WorkflowNotFoundError } from "@temporalio/common";
import type { JobSpec } from "../../contract/job-spec.ts";

/** The server's own id: it stays with its database, so a job of another one is recognised. */
export async function clusterId(client: Client): Promise<string> {
  const { clusterId: id } = await client.workflowService.getClusterInfo({});
  if (id === null || id === undefined || id === "")
    throw new Error("The Temporal server gives no cluster id; its version is too old for Attune.");
  return id;
}

const open: ReadonlySet<string> = new Set(["RUNNING", "PAUSED", "CONTINUED_AS_NEW"]);
const closed: ReadonlySet<string> = new Set(["COMPLETED", "FAILED", "CANCELLED", "TERMINATED", "TIMED_OUT"]);

/** Whether a job's owner is open, for the reaper. "unknown" for another server's or namespace's owner, and whenever the server doesn't say. */
export async function ownerIsOpen(client: Client, owner: JobSpec["owner"]): Promise<boolean | "unknown"> {
  if (owner.namespace !== client.options.namespace) return "unknown";
  try {
    if (owner.cluster !== (await clusterId(client))) return "unknown";
    const { status } = await client.workflow.getHandle(owner.workflowId).describe();
    return closed.has(status.name) ? false : open.has(status.name) ? true : "unknown";
  } catch (error) {
    // Past its retention it is closed for good; any other error says nothing about it.
    return error instanceof WorkflowNotFoundError ? false : "unknown";
  }
}
