import { canonicalJson } from "../../domain/canonical-json.ts";
import type { Difference } from "./identity.ts";

/** Lists whose members don't touch each other: more of them leave what the others came to as it is. */
const lists = new Set(["contexts", "backbones", "evaluate.arms"]);
/** Counts of units that are drawn one by one: the first stay the first. */
const counts = new Set(["converse.conversations", "evaluate.conversations"]);

/** Of the differences between two configurations, those that do more than add to what the earlier one makes: with any of them, nothing of it can be counted on. */
export function beyondGrowth(differences: readonly Difference[]): readonly Difference[] {
  return differences.filter((difference) => !adds(difference));
}

function adds({ path, before, after }: Difference): boolean {
  if (path.startsWith("contextFiles.")) return before === undefined;
  if (counts.has(path)) return typeof before === "number" && typeof after === "number" && after > before;
  if (!lists.has(path) || !Array.isArray(before) || !Array.isArray(after)) return false;
  const there = new Set(after.map(canonicalJson));
  return before.every((member) => there.has(canonicalJson(member)));
}
