import type { Connection } from "@temporalio/client";
import type { Queues } from "../../contract/queues.ts";

/** TaskQueueType of Temporal's API. */
const taskQueueTypes = { workflow: 1, activity: 2 } as const;

/** Names of the queues that no worker polls now. */
export async function queuesWithoutWorker({
  connection,
  namespace,
  queues,
}: {
  connection: Pick<Connection, "workflowService">;
  namespace: string;
  queues: Queues;
}): Promise<readonly string[]> {
  const needed = [
    { name: queues.control, type: taskQueueTypes.workflow },
    { name: queues.llm, type: taskQueueTypes.activity },
    { name: queues.gpu, type: taskQueueTypes.activity },
  ];
  const polled = await Promise.all(
    needed.map(async ({ name, type }) => {
      // The enum's package is no dependency of ours.
      const queue = { namespace, taskQueue: { name }, taskQueueType: type };
      // oxlint-disable-next-line typescript/no-unsafe-enum-assignment
      const { pollers } = await connection.workflowService.describeTaskQueue(queue);
      return (pollers ?? []).length > 0;
    }),
  );
  return needed.filter((_, i) => polled[i] !== true).map(({ name }) => name);
}
