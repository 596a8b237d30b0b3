import type { Client } from "@temporalio/client";
import { workflowTypes } from "./launch.ts";

/** What is open on the server; a held or paused run is. */
export interface OpenWork {
  /** First 12 hex digits of the digests of open runs. */
  readonly digests: ReadonlySet<string>;
  /** Whether a night is open; which of the recorded ones it is, its id does not tell. */
  readonly night: boolean;
}

export async function openWork(client: Client): Promise<OpenWork> {
  const digests = new Set<string>();
  for await (const { workflowId } of client.workflow.list({ query: running(workflowTypes.experiment) }))
    digests.add(workflowId.split("/").at(-1) ?? "");
  let night = false;
  for await (const _ of client.workflow.list({ query: running(workflowTypes.nightly) })) {
    night = true;
    break;
  }
  return { digests, night };
}

const running = (type: string) => `WorkflowType = "${type}" AND ExecutionStatus = "Running"`;
