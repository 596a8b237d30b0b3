import type { Claim, ClaimInput, JobDraft, JobOutcome, JobRequest, Serving } from "./jobs.ts";
import type { ExperimentPlan, NightlyResult } from "./experiment.ts";
import type { Ref } from "./ref.ts";
import type { Arm, StageRecord } from "./stages.ts";
import type { UnitStage } from "./stages.ts";
import type { RunRef, Spend, UnitInput, UnitOutcome } from "./units.ts";

/** Idempotent steps on the control queue, quick but for those over many conversations. Each `seal…` and `measure` writes its stage record last and returns it. */
export interface ControlActivities {
  /** The record when it exists and every output is there with its digest; else null. */
  findStage(input: { run: RunRef; key: string }): Promise<StageRecord | null>;
  /** Forgets a piece that is older than what it was made from; its files stay. */
  dropStage(input: { run: RunRef; key: string }): Promise<void>;
  /** Recomputed from the call records of this run. */
  /** `stages` where `byStage` asks for them. */
  readSpend(input: {
    run: RunRef;
    byStage?: true;
  }): Promise<Spend & { readonly stages?: Readonly<Partial<Record<UnitStage, Spend>>> }>;
  measure(input: { run: RunRef }): Promise<StageRecord>;
  sealConversations(input: { run: RunRef; context: string }): Promise<StageRecord>;
  prepareReward(input: { run: RunRef; which: "guide" | "evaluator" }): Promise<JobDraft>;
  sealReward(input: { run: RunRef; which: "guide" | "evaluator"; job: JobOutcome }): Promise<StageRecord>;
  prepareGuideScore(input: { run: RunRef; context: string; guide: Ref }): Promise<JobDraft>;
  /** `scores` is null when guidance is the judge alone. */
  gatePairs(input: { run: RunRef; context: string; scores: JobOutcome | null }): Promise<StageRecord>;
  preparePreference(input: { run: RunRef; context: string; pairs: Ref }): Promise<JobDraft>;
  sealPreference(input: { run: RunRef; context: string; job: JobOutcome }): Promise<StageRecord>;
  prepareAlign(input: { run: RunRef; context: string; backbone: string; pairs: Ref }): Promise<JobDraft>;
  sealAdapter(input: { run: RunRef; context: string; backbone: string; pairs: Ref; job: JobOutcome }): Promise<StageRecord>;
  prepareServe(input: { run: RunRef; backbone: string; adapters: Readonly<Record<string, Ref>> }): Promise<JobDraft>;
  prepareEvaluationScore(input: Evaluated & { scorers: Readonly<Record<string, Ref>> }): Promise<JobDraft>;
  sealEvaluation(input: Evaluated & { job: JobOutcome }): Promise<StageRecord>;
  buildReport(input: { run: RunRef }): Promise<StageRecord>;
  /** Moves `published.json` by conditional put and makes the results the nights' reference if there is none. */
  publish(input: { run: RunRef }): Promise<{ published: readonly string[]; reference: "kept" | "set" }>;
  openNight(input: { experiment: string; night: string }): Promise<Night>;
  judgeNight(input: { run: RunRef; night: Night }): Promise<NightlyResult>;
}

/** The conversations of a backbone that these adapters and arms held. */
export interface Evaluated {
  readonly run: RunRef;
  readonly backbone: string;
  /** By context. */
  readonly adapters: Readonly<Record<string, Ref>>;
  readonly arms: readonly Arm[];
}

/** What a night evaluates: the reference's items, with the published adapters. */
export interface Night {
  readonly run: RunRef;
  readonly plan: ExperimentPlan;
  readonly night: string;
  readonly adapters: Readonly<Record<string, Readonly<Record<string, Ref>>>>;
  readonly scorers: Readonly<Record<string, Ref>>;
  readonly reference: Ref;
}

/** Long conversations on the llm queue; each heartbeats `UnitHeartbeat`. */
export interface UnitActivities {
  converse(input: UnitInput): Promise<UnitOutcome>;
  steer(input: UnitInput): Promise<UnitOutcome>;
  evaluate(input: UnitInput): Promise<UnitOutcome>;
  /** Waits until the serving job of this name answers, runs the canary once a generation, returns where it is. */
  awaitServing(input: { run: RunRef; serving: string; afterGeneration: number }): Promise<Serving>;
}

export interface UnitHeartbeat {
  readonly turn: number;
  readonly cause?: string;
  readonly nextTryAt?: string;
}

/** On the pool's queue. */
export interface PoolActivities {
  claimNode(input: ClaimInput): Promise<Claim>;
}

/** On a node's own queue. */
export interface NodeActivities {
  /** ensure → follow progress → heartbeat → collect. A retry adopts the running job. Promotes outputs under the fence. */
  runJob(input: JobRequest): Promise<JobOutcome>;
  /** Like runJob for kind `serve`: writes the `Serving` record when ready, heartbeats health, starts a new generation when the server dies; ends only by cancel. */
  keepServing(input: JobRequest): Promise<void>;
  /** Idempotent; true when something was stopped. */
  stopJob(input: { job: string }): Promise<boolean>;
}
