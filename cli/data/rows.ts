/** What the rows of a dataset are, by the stage that made them. */
export type DatasetKind = "conversations" | "pairs" | "evaluation";

export const exportFormats = ["jsonl", "parquet", "both"] as const;
export type ExportFormat = (typeof exportFormats)[number];

/** What becomes of text that looks personal: nothing, a mark in its place, or no export. */
export const piiPolicies = ["block", "mask", "keep"] as const;
export type PiiPolicy = (typeof piiPolicies)[number];

export type Row = Readonly<Record<string, unknown>> & { readonly unit: string };

/** What a row is called in its dataset: `writing-00000 turn 2`. No two rows of one have the same name. */
export function rowName(kind: DatasetKind, row: Row): string {
  if (kind === "pairs") return `${row.unit} turn ${String(row["turn"])}`;
  return kind === "evaluation" ? `${row.unit} ${String(row["arm"])}` : row.unit;
}
