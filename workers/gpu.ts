import { hostname } from "node:os";
import { Worker } from "@temporalio/worker";
import type { WorkerOptions } from "@temporalio/worker";
import { makeNodeActivities, makePoolActivities } from "../activities/index.ts";
import { processNode } from "../activities/jobs/node.ts";
import { reap } from "../activities/jobs/reap.ts";
import { nodeQueue, stopQueue } from "../contract/queues.ts";
import { listenOnce } from "../platform/jobs/node.ts";
import { baseOptions } from "./options.ts";
import type { RoleWorker, WorkerSettings } from "./options.ts";
import { clusterId, ownerLookup } from "./owners.ts";

export interface GpuWorkerSettings extends WorkerSettings {
  readonly env: Readonly<Record<string, string | undefined>>;
  /** Jobs at a time: one a device. */
  readonly devices: number;
}

/**
 * Runs jobs on this node. Three queues: the pool's, where nodes are claimed; the node's own; and one where jobs are ended, which never waits for a
 * slot. First ends jobs here that nobody looks after any more.
 */
export async function createGpuWorker({ env, devices, ...settings }: GpuWorkerSettings): Promise<RoleWorker> {
  const { connection, namespace, queues, deps } = settings;
  const cluster = await clusterId(connection);
  const node = processNode({ deps, pool: queues.gpu, cluster, env });
  await listenOnce(node.address);
  await reap({ deps, node, isOpen: ownerLookup({ connection, cluster, namespace }) });

  const base = baseOptions(settings, "gpu", `${node.name} (${hostname()})`);
  const { stopJob, ...jobs } = makeNodeActivities(deps, node);
  const own = nodeQueue(queues.gpu, node.name);
  // Jobs outlive their worker, so there is little to wait for.
  const shutdown = { shutdownGraceTime: "1 second", shutdownForceTime: "12 seconds" } as const;
  const options: readonly WorkerOptions[] = [
    {
      ...base,
      ...shutdown,
      taskQueue: queues.gpu,
      activities: makePoolActivities(deps, node),
      maxConcurrentActivityTaskExecutions: 4,
    },
    {
      ...base,
      ...shutdown,
      taskQueue: own,
      activities: jobs,
      // The next job waits in the queue, where waiting costs nothing.
      maxConcurrentActivityTaskExecutions: devices,
      // A cancel reaches a job with its heartbeat.
      maxHeartbeatThrottleInterval: "2 seconds",
    },
    { ...base, ...shutdown, taskQueue: stopQueue(own), activities: { stopJob }, maxConcurrentActivityTaskExecutions: 8 },
  ];
  const workers: Worker[] = [];
  for (const one of options) workers.push(await Worker.create(one));
  const stop = () => workers.filter((worker) => worker.getState() === "RUNNING").forEach((worker) => worker.shutdown());
  return {
    run: async () => {
      // One that fails takes the others with it: half a node is worse than none.
      await Promise.all(workers.map((worker) => worker.run().finally(stop)));
    },
    stop,
  };
}
