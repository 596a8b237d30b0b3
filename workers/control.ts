import { hostname } from "node:os";
import { fileURLToPath } from "node:url";
import { Worker } from "@temporalio/worker";
import { controlActivities } from "../activities/index.ts";
import { beating } from "./beating.ts";
import { baseOptions } from "./options.ts";
import type { RoleWorker, WorkerSettings } from "./options.ts";

/** Runs the workflows and their quick steps. */
export async function createControlWorker(settings: WorkerSettings): Promise<RoleWorker> {
  const worker = await Worker.create({
    ...baseOptions(settings, "control", hostname()),
    taskQueue: settings.queues.control,
    workflowsPath: fileURLToPath(new URL("../workflows/index.ts", import.meta.url)),
    activities: controlActivities(settings.deps),
    maxConcurrentActivityTaskExecutions: 8,
    interceptors: { activity: [beating] },
    // Well below the heartbeat timeout: a busy machine must not look like a lost worker.
    maxHeartbeatThrottleInterval: "10 seconds",
    shutdownGraceTime: "5 seconds",
    shutdownForceTime: "12 seconds",
  });
  return { run: () => worker.run(), stop: () => worker.shutdown() };
}
