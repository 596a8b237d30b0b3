import { historyFromJSON, historyToJSON } from "@temporalio/common/lib/proto-utils.js";
import type { History } from "@temporalio/common/lib/proto-utils.js";

/** A recorded run, as it is committed: its id, which child ids are built from, and its events. */
export function historyToJson(workflowId: string, history: History): string {
  return `${JSON.stringify({ workflowId, ...(JSON.parse(historyToJSON(history)) as object) }, null, 1)}\n`;
}

export function historyFromJson(text: string): { workflowId: string; history: History } {
  const { workflowId, ...history } = JSON.parse(text) as { workflowId: string };
  return { workflowId, history: historyFromJSON(history) };
}
