import { DefaultLogger } from "@temporalio/worker";
import type { Logger } from "../platform/telemetry/log.ts";

/** The SDK's own lines, from warnings up, in the form of ours. Fields stay small: payloads and stacks are in the Temporal UI. */
export function temporalLogger(log: Logger): DefaultLogger {
  return new DefaultLogger("WARN", ({ level, message, meta }) => {
    const { workflowId, activityType, taskQueue, error } = meta ?? {};
    const fields = Object.fromEntries(
      Object.entries({
        workflowId,
        activityType,
        taskQueue,
        error: error === undefined ? undefined : String(error).slice(0, 300),
      }).filter(([, value]) => value !== undefined),
    );
    if (level === "ERROR") log.error(message, fields);
    else log.warn(message, fields);
  });
}
