import type { Arm } from "../../contract/stages.ts";
import type { Judged } from "../../domain/levels.ts";
import type { Persona } from "../../domain/personas.ts";
import type { Message, Turn } from "../../domain/transcript.ts";

/** What the rows of a dataset are, by the stage that made them. */
export type DatasetKind = "conversations" | "pairs" | "evaluation";

export const exportFormats = ["jsonl", "parquet", "both"] as const;
export type ExportFormat = (typeof exportFormats)[number];

/** What becomes of text that looks personal: nothing, a mark in its place, or no export. */
export const piiPolicies = ["block", "mask", "keep"] as const;
export type PiiPolicy = (typeof piiPolicies)[number];

/** Rows as the stages stored them; what is read here of each. */
export interface ConversationRow {
  readonly unit: string;
  readonly context: string;
  readonly family: string;
  readonly plain: boolean;
  readonly persona: Persona;
  readonly turns: readonly Turn[];
}

export interface PairRow {
  readonly unit: string;
  readonly family: string;
  readonly turn: number;
  readonly style: string;
  readonly prompt: readonly ChatMessage[];
  readonly chosen: readonly ChatMessage[];
  readonly rejected: readonly ChatMessage[];
  readonly judge: Sides;
  readonly guide: Sides;
}

export interface EvaluationRow {
  readonly unit: string;
  readonly family: string;
  readonly split: string;
  readonly backbone: string;
  readonly arm: Arm;
  readonly desired: number;
  readonly persona: Persona;
  readonly turns: readonly EvaluatedTurn[];
}

interface EvaluatedTurn {
  readonly user: string;
  readonly userFault: string | null;
  readonly reply: string;
  readonly empty: boolean;
  readonly refused: boolean;
  readonly truncated: boolean;
  readonly judged: Judged;
  readonly scores: Readonly<Record<string, number | null>>;
}

interface ChatMessage {
  readonly role: Message["role"] | "system";
  readonly content: string;
}

/** Scores of a pair's two replies; null: that measure took no part. */
export interface Sides {
  readonly chosen: number | null;
  readonly rejected: number | null;
}

export type Row = Readonly<Record<string, unknown>> & { readonly unit: string };

/** What a row is called in its dataset: `writing-00000 turn 2`. No two rows of one have the same name. */
export function rowName(kind: DatasetKind, row: Row): string {
  if (kind === "pairs") return `${row.unit} turn ${String(row["turn"])}`;
  return kind === "evaluation" ? `${row.unit} ${String(row["arm"])}` : row.unit;
}
