import type { Connection } from "@temporalio/client";
import { missingSearchAttributes } from "../../workers/dev/namespace.ts";
import { queuesWithoutWorker } from "../../workers/dev/pollers.ts";
import type { Project } from "../project.ts";
import { clientOn, openConnection } from "../server/connect.ts";
import { workflowTypes } from "../server/launch.ts";
import { attempt, type Check } from "./machine.ts";

const startStack = "Start them with `npx attune dev`.";

/** What the Temporal server has and who works for it. */
export async function* serverChecks(project: Project): AsyncGenerator<Check> {
  const { address, namespace } = project.temporal;
  let connection: Connection;
  try {
    connection = await openConnection(project);
  } catch {
    yield {
      name: "Temporal server",
      state: "failed",
      detail: `no answer at ${address}`,
      remedy: "Start one with `npx attune dev`, or set TEMPORAL_ADDRESS.",
    };
    return;
  }
  const client = clientOn(connection, project);
  try {
    yield { name: "Temporal server", state: "ok", detail: `${address}, namespace ${namespace}` };
    yield await attempt(
      "search attributes",
      "Restart the dev stack, or add them with `temporal operator search-attribute create`.",
      async () => {
        const missing = await missingSearchAttributes(connection, namespace);
        if (missing.length > 0) throw new Error(`the namespace lacks ${missing.join(", ")}`);
        return "all there";
      },
    );
    yield await attempt("workers", startStack, async () => {
      const waiting = await queuesWithoutWorker({ connection, namespace, queues: project.queues });
      if (waiting.length > 0) throw new Error(`nobody polls ${waiting.join(", ")}`);
      return "every queue is polled";
    });
    yield await attempt("workflow code", "Read the control worker's lines: its code can't go on with these runs.", async () => {
      const stuck: string[] = [];
      const query = `WorkflowType = "${workflowTypes.experiment}" AND ExecutionStatus = "Running" AND TemporalReportedProblems IS NOT NULL`;
      for await (const { workflowId } of client.workflow.list({ query })) stuck.push(workflowId);
      if (stuck.length > 0) throw new Error(`stuck: ${stuck.join(", ")}`);
      return "no run is stuck";
    });
  } finally {
    await connection.close();
  }
}
