import { hostname } from "node:os";
import { Worker } from "@temporalio/worker";
import { unitActivities } from "../activities/index.ts";
import { baseOptions } from "./options.ts";
import type { RoleWorker, WorkerSettings } from "./options.ts";

/** Conversations open here at a time: well above all windows together, since the providers' limiters hold the calls back. */
const conversations = 400;

/** Runs conversations. */
export async function createLlmWorker(settings: WorkerSettings): Promise<RoleWorker> {
  const worker = await Worker.create({
    ...baseOptions(settings, "llm", hostname()),
    taskQueue: settings.queues.llm,
    activities: unitActivities(settings.deps),
    maxConcurrentActivityTaskExecutions: conversations,
    // Well below the heartbeat timeout: a busy machine must not look like a lost worker.
    maxHeartbeatThrottleInterval: "4 seconds",
    // Calls in flight may still be answered and recorded; then conversations are handed back, to go on at the turn they had reached.
    shutdownGraceTime: "3 seconds",
    shutdownForceTime: "12 seconds",
  });
  return { run: () => worker.run(), stop: () => worker.shutdown() };
}
