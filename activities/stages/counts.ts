import type { UnitRecord } from "../units.ts";

/** asked = done + dropped + failed; `dropped:<reason>` and `failed:<reason>` add up to theirs. */
export function countOutcomes(units: readonly UnitRecord[], asked: number): Record<string, number> {
  const counts: Record<string, number> = { asked, done: 0, dropped: 0, failed: 0 };
  const add = (name: string) => {
    counts[name] = (counts[name] ?? 0) + 1;
  };
  for (const { outcome } of units) {
    add(outcome.status);
    if (outcome.status !== "done") add(`${outcome.status}:${outcome.reason}`);
  }
  return counts;
}

/** A dataset card in markdown: what was asked, kept and dropped, by whom it was written, and what it may be used for. */
export function datasetCard({
  title,
  rehearsal,
  counts,
  models,
  note,
}: {
  title: string;
  rehearsal: boolean;
  counts: Readonly<Record<string, number>>;
  models: Readonly<Record<string, string>>;
  note: string;
}): string {
  const rows = Object.entries(counts).map(([name, count]) => `| ${name} | ${count} |`);
  const writers = Object.entries(models).map(([role, model]) => `- ${role}: ${model}`);
  return [
    `# ${title}`,
    "",
    ...(rehearsal ? ["**Rehearsal: not evidence.** The texts come from a written corpus through the offline teacher.", ""] : []),
    note,
    "",
    "| count | |",
    "|---|---|",
    ...rows,
    "",
    "Models:",
    "",
    ...writers,
    "",
    "Synthetic: yes. Licence: not set.",
    "",
  ].join("\n");
}
