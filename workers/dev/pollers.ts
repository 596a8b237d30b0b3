import type { Connection } from "@temporalio/client";
import type { Queues } from "../../contract/queues.ts";

type QueueType = NonNullable<Parameters<Connection["workflowService"]["describeTaskQueue"]>[0]["taskQueueType"]>;

/** TaskQueueType of Temporal's API, by its numbers on the wire. */
const taskQueueTypes = { workflow: 1 as QueueType, activity: 2 as QueueType };

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
      const queue = { namespace, taskQueue: { name }, taskQueueType: type };
      const { pollers } = await connection.workflowService.describeTaskQueue(queue);
      return (pollers ?? []).length > 0;
    }),
  );
  return needed.filter((_, i) => polled[i] !== true).map(({ name }) => name);
}
