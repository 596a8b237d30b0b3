import type { Arm, Split, UnitStage } from "./stages.ts";
import type { Ref } from "./ref.ts";

/** What one unit (one conversation) may still spend; null means no cap. */
export interface Allowance {
  readonly calls: number | null;
  readonly usd: number | null;
}

export interface Spend {
  /** Calls that reached a provider. */
  readonly calls: number;
  /** Answers re-read from the call store. */
  readonly reread: number;
  /** null as soon as one call has no known price. */
  readonly usd: number | null;
}

/** The resolved run every activity works for. */
export interface RunRef {
  readonly name: string;
  /** Hex, 64: what changes results. */
  readonly digest: string;
  /** The resolved experiment configuration. */
  readonly config: Ref;
  /** Empty in an experiment; the night in a nightly run, where fresh answers are meant. */
  readonly epoch: string;
}

/** Which units: all conversations of a stage for a context, and for `evaluate` of one arm. */
export interface BatchGroup {
  readonly stage: UnitStage;
  readonly context: string;
  readonly backbone?: string;
  readonly arm?: Arm;
  readonly split?: Split;
}

/** The input of a unit activity: `converse`, `steer`, `evaluate`. */
export interface UnitInput {
  readonly run: RunRef;
  readonly group: BatchGroup;
  /** Index of the unit in its batch, from 0. */
  readonly unit: number;
  /** Samples a turn may use before it gives up; raised by `retryUnits`. */
  readonly sampleLimit: number;
  readonly allowance: Allowance;
  /** What the stage reads: sealed conversations for `steer`, serving name and adapters for `evaluate`. */
  readonly inputs: Readonly<Record<string, Ref>>;
  /** It was begun before and went back to the front: what it re-reads was paid for it and is not reported yet. */
  readonly again?: true;
  /** For `evaluate`: the serving record's key. */
  readonly serving?: string;
}

export type UnitOutcome =
  | { readonly status: "done"; readonly spend: Spend }
  /** By the stage's own rules: fidelity, gates. Counted by reason. */
  | { readonly status: "dropped"; readonly reason: string; readonly spend: Spend }
  /** Gave up: reason. */
  | { readonly status: "failed"; readonly reason: string; readonly spend: Spend };
