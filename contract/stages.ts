import type { Ref } from "./ref.ts";

/** The method's stages, in its order. */
export const stages = ["measure", "converse", "steer", "reward", "align", "evaluate", "report"] as const;
export type Stage = (typeof stages)[number];

/** Stages whose work is a batch of conversations, one unit each. */
export const unitStages = ["converse", "steer", "evaluate"] as const;
export type UnitStage = (typeof unitStages)[number];

export const arms = ["baseline", "system_prompt", "adapter", "wrong_adapter"] as const;
export type Arm = (typeof arms)[number];

/** Scenario families are split once; a family is in one part only. */
export const splits = ["pairs", "validation", "test"] as const;
export type Split = (typeof splits)[number];

/**
 * Proof that a piece of a stage is done: what it made, and its counts. Written once, after its outputs.
 * `key` is unique in a run: `converse/distress`, `align/smollm2-135m/distress`, `reward/guide`, `report`.
 */
export interface StageRecord {
  readonly key: string;
  readonly stage: Stage;
  readonly outputs: Readonly<Record<string, Ref>>;
  readonly counts: Readonly<Record<string, number>>;
  /** Small facts later stages and the report need; never text of conversations. */
  readonly facts: Readonly<Record<string, number | string | boolean | null>>;
  readonly codeVersion: string;
  readonly at: string;
}

/** `converse/distress`, `align/smollm2-135m/distress`, … */
export function stageKey(stage: Stage, ...parts: readonly string[]): string {
  return [stage, ...parts].join("/");
}
