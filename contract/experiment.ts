import type { Arm, Split, Stage, UnitStage } from "./stages.ts";
import type { Queues } from "./queues.ts";
import type { Ref } from "./ref.ts";
import type { Allowance, BatchGroup, RunRef, Spend } from "./units.ts";
import type { HoldDetail } from "./failures.ts";

/** What the experiment workflow must know to run the tree; everything else is behind `run.config`. */
export interface ExperimentPlan {
  readonly contexts: readonly string[];
  readonly backbones: readonly string[];
  readonly conversations: number;
  /** True when the guide reward model takes part in choosing pairs; else the judge does it alone and no guide is trained. */
  readonly guided: boolean;
  readonly evaluation: { readonly split: Split; readonly conversations: number; readonly arms: readonly Arm[] };
  /** Conversations open at a time, per batch. */
  readonly window: number;
  readonly minKeptShare: number;
  readonly stallHoldMs: number;
  readonly sampleLimit: Readonly<Record<"converse" | "steer" | "evaluate", number>>;
  /** What one conversation of each stage may spend. */
  readonly allowance: Readonly<Record<"converse" | "steer" | "evaluate", Allowance>>;
  readonly budget: Allowance;
  /** Caps of single stages, beside the run's. Absent from plans of earlier versions. */
  readonly stageBudgets?: Readonly<Partial<Record<UnitStage, Allowance>>>;
  readonly jobRestarts: number;
  /** A job that no worker of its node has taken for so long may be claimed by another node. */
  readonly nodeLostSeconds: number;
  readonly jobDeadlineSeconds: number;
}

export interface ExperimentInput {
  readonly run: RunRef;
  readonly plan: ExperimentPlan;
  readonly queues: Queues;
  /** Stop after this stage; a later `run` goes on from there. */
  readonly until?: Stage;
  readonly owner?: string;
  readonly rehearsal: boolean;
}

export interface ExperimentResult {
  readonly outcome: "finished" | "stopped-after-stage";
  readonly results: Ref | null;
  readonly report: Ref | null;
  /** Pooled gap reduction, null where it can't be estimated. */
  readonly gapReduction: number | null;
}

export interface BatchInput {
  readonly run: RunRef;
  readonly queues: Queues;
  readonly group: BatchGroup;
  readonly units: number;
  readonly window: number;
  readonly minKeptShare: number;
  readonly stallHoldMs: number;
  readonly sampleLimit: number;
  readonly allowance: Allowance;
  /** True when the experiment has no cap: nothing is drawn. */
  readonly unlimited: boolean;
  readonly paused: boolean;
  readonly inputs: Readonly<Record<string, Ref>>;
  readonly serving?: string;
}

export interface ShardInput extends BatchInput {
  readonly shard: number;
  /** Units [from, to). */
  readonly from: number;
  readonly to: number;
  /** The only ones of them to work, since the others are done. */
  readonly only?: readonly number[];
}

export interface Counts {
  readonly done: number;
  readonly dropped: Readonly<Record<string, number>>;
  readonly failed: Readonly<Record<string, number>>;
}

export interface BatchResult {
  readonly counts: Counts;
  readonly spend: Spend;
  /** Of a shard: its units that ended without a row. Absent from shards of earlier versions. */
  readonly gaveUp?: readonly number[];
}

export interface EvaluationInput {
  readonly run: RunRef;
  readonly queues: Queues;
  readonly plan: ExperimentPlan;
  readonly backbone: string;
  /** Adapter folders' indices by context. */
  readonly adapters: Readonly<Record<string, Ref>>;
  /** Trained scorers by id: `evaluator`, `preference-<context>`. */
  readonly scorers: Readonly<Record<string, Ref>>;
  readonly unlimited: boolean;
  readonly paused: boolean;
}

export interface NightlyInput {
  /** Experiment whose published experts are evaluated. */
  readonly experiment: string;
  readonly queues: Queues;
}

export interface NightlyResult {
  readonly verdict: "passed" | "regressed" | "not estimable";
  readonly night: string;
  readonly details: Ref | null;
  /** Contexts that regressed. */
  readonly regressed: readonly string[];
}

/** Answer of the `progress` query. */
export interface Progress {
  readonly state: "running" | "paused" | "held" | "finished";
  readonly hold: HoldDetail | null;
  readonly stages: readonly StageProgress[];
  readonly spend: Spend;
  readonly budget: Allowance;
  /** Stages with a cap of their own. */
  readonly stageBudgets?: readonly StageBudget[];
}

export interface StageBudget {
  readonly stage: UnitStage;
  readonly budget: Allowance;
  readonly spend: Spend;
}

export interface StageProgress {
  readonly key: string;
  readonly stage: Stage;
  readonly state: "waiting" | "running" | "done" | "reused" | "failed";
  readonly done: number;
  readonly total: number;
  readonly dropped: number;
  readonly failed: number;
  readonly startedAt: string | null;
  readonly endedAt: string | null;
}
