import type { BatchGroup } from "../contract/units.ts";

/** What the UI shows beside an activity or a workflow; ids and names only, never text of conversations. At most 400 bytes. */
export function unitSummary(group: BatchGroup, unit: number): string {
  return `${group.stage} ${groupName(group)} #${unit}`;
}

/** `distress`, or `distress · adapter of smollm2-135m`. */
export function groupName({ context, backbone, arm }: BatchGroup): string {
  return arm === undefined ? context : `${context} · ${arm} of ${backbone ?? "?"}`;
}
