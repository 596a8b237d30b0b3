import type { NativeConnection } from "@temporalio/worker";
import type { JobSpec } from "../contract/job-spec.ts";

type Service = Pick<NativeConnection, "workflowService">;

/** gRPC's code for a run that the server does not know (any more). */
const notFound = 5;
/** WorkflowExecutionStatus of a run that is open. */
const running = 1;

/** Id of the Temporal cluster: stays with its database. */
export async function clusterId({ workflowService }: Service): Promise<string> {
  return (await workflowService.getClusterInfo({})).clusterId ?? "";
}

/** Whether a job's owner is open; "unknown" for owners elsewhere and whenever the server gives no clear answer. */
export function ownerLookup({
  connection,
  cluster,
  namespace,
}: {
  connection: Service;
  cluster: string;
  namespace: string;
}): (owner: JobSpec["owner"]) => Promise<boolean | "unknown"> {
  return async (owner) => {
    if (owner.cluster !== cluster || owner.namespace !== namespace || owner.workflowId === "") return "unknown";
    try {
      const { workflowExecutionInfo } = await connection.workflowService.describeWorkflowExecution({
        namespace,
        execution: { workflowId: owner.workflowId },
      });
      return workflowExecutionInfo?.status === undefined ? "unknown" : Number(workflowExecutionInfo.status) === running;
    } catch (error) {
      return (error as { code?: unknown }).code === notFound ? false : "unknown";
    }
  };
}
