import type { AnsweredRole } from "./answered-models.ts";
import type { PiiCounts } from "./pii.ts";

/** The parts of `results.json` that say what a run used, made and stands on. */

export interface ContextData {
  readonly context: string;
  readonly conversations: Tally | null;
  readonly pairs: Tally | null;
}

/** asked = kept + Σ dropped. */
export interface Tally {
  readonly asked: number | null;
  readonly kept: number;
  /** The kept ones by kind, where kinds matter: `rejects-cold`, `rejects-over-warm`. */
  readonly keptBy?: Readonly<Record<string, number>>;
  readonly dropped: Readonly<Record<string, number>>;
  /** Texts in the kept ones that look personal; absent when there are none, and in results of earlier versions. */
  readonly pii?: PiiCounts;
}

/** One item as every arm answered it. */
export interface Sample {
  readonly backbone: string;
  readonly context: string;
  readonly unit: string;
  readonly family: string;
  readonly persona: string;
  readonly desired: number | null;
  readonly arms: Readonly<Record<string, readonly SampleTurn[]>>;
}

export interface SampleTurn {
  readonly user: string;
  readonly reply: string;
  readonly score: number | null;
  readonly judged: number | null;
}

/** Token counts are prompt (with its cached part) and completion. */
interface UsageCounts {
  readonly calls: number;
  /** Answers taken from the call store. */
  readonly reread: number;
  readonly failed: number;
  /** Answered twice because two workers asked: bounded by the calls in flight at a crash. */
  readonly wasted: number;
  readonly inputTokens: number;
  readonly cachedInputTokens: number;
  readonly outputTokens: number;
  /** Null as soon as one call's price is unknown. */
  readonly costUsd: number | null;
}

/** The usage ledger of the run. */
export interface Usage extends UsageCounts {
  readonly rows: readonly UsageLine[];
}

export interface UsageLine extends UsageCounts {
  readonly stage: string;
  readonly context: string;
  readonly arm: string;
  readonly role: string;
  readonly model: string;
}

export interface Provenance {
  readonly codeVersion: string;
  readonly config: { readonly uri: string; readonly sha256: string };
  /** Models by role, as the providers listed them before the run. */
  readonly models: Readonly<Record<string, string>>;
  /** Which models answered in each role, by the ledger; results of versions before it have none. */
  readonly answered?: readonly AnsweredRole[];
  /** sha256 of local weights by id. */
  readonly weights: Readonly<Record<string, string>>;
  readonly inputs: Readonly<Record<string, string>>;
  readonly seed: number;
  readonly recipe: Readonly<Record<string, string | number | boolean | null>>;
  readonly stages: readonly ProvenanceStage[];
}

interface ProvenanceStage {
  readonly key: string;
  readonly at: string;
  readonly codeVersion: string;
  readonly outputs: Readonly<Record<string, string>>;
}
