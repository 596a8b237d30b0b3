import { workflowInfo } from "@temporalio/workflow";
import type { BatchGroup } from "../contract/units.ts";

/** What the UI shows beside an activity or a workflow; ids and names only, never text of conversations. At most 400 bytes. */
export function unitSummary(group: BatchGroup, unit: number): string {
  return `${group.stage} ${groupName(group)} #${unit}`;
}

/** `distress`, or `distress · adapter of smollm2-135m`. */
export function groupName({ context, backbone, arm }: BatchGroup): string {
  return arm === undefined ? context : `${context} · ${arm} of ${backbone ?? "?"}`;
}

/** How a person sends an update to the top of this tree with Temporal's own command. */
export function updateCommand(name: string, input: unknown): string {
  const { root, workflowId } = workflowInfo();
  return `temporal workflow update execute --workflow-id '${root?.workflowId ?? workflowId}' --name ${name} --input '${JSON.stringify(input)}'`;
}
