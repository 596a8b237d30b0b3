import type { HoldDetail } from "./failures.ts";
import type { Allowance, Spend } from "./units.ts";
import type { Counts } from "./experiment.ts";
import type { UnitStage } from "./stages.ts";

/** Names and payloads of updates, signals and queries; workflow files define them with `defineUpdate(messages.pause)` and so on. */
export const messages = {
  /** Updates of an experiment. */
  pause: "pause",
  resume: "resume",
  raiseBudget: "raiseBudget",
  setWidth: "setWidth",
  retryUnits: "retryUnits",
  /** Query of an experiment, a batch and a shard. */
  progress: "progress",
  /** Parent → child. */
  control: "control",
  /** Child → parent. */
  report: "report",
} as const;

/** Parent → child: the state a child must take on. The server may deliver signals out of order: `paused` and `window` of the highest `seq` win. */
export interface Control {
  /** Rises with every control of this parent, from 1. */
  readonly seq: number;
  readonly paused: boolean;
  /** Said to go on: holds end. */
  readonly resume?: true;
  /** With `resume`: what ends by it. `operator`: a pause. Absent from parents of an earlier version. */
  readonly lifted?: { readonly reason: HoldDetail["reason"]; readonly from: string | null };
  /** Conversations open at a time; absent leaves it. */
  readonly window?: number;
  /** Budget granted on top of what was granted before. */
  readonly grant?: Allowance;
  readonly sampleLimit?: number;
}

/** Updates of an experiment: `raiseBudget` takes the new caps in all (null: no cap), `setWidth` conversations open per batch, `retryUnits` samples a turn. */
export interface RaiseBudget extends Allowance {
  /** The cap is this stage's, not the run's. */
  readonly stage?: UnitStage;
}
export interface SetWidth {
  readonly window: number;
}
export interface RetryUnits {
  readonly sampleLimit: number;
}

/** Child → parent: where it is. Sent coarsely, never per unit. */
export interface ChildReport {
  readonly from: string;
  /** Rises with every report of this child, from 1; counts of a lower one are old. */
  readonly seq: number;
  readonly counts: Counts;
  readonly spend: Spend;
  /** Conversations in flight. */
  readonly open: number;
  /** The last unit is scheduled: the next shard may start. */
  readonly allScheduled: boolean;
  /** Budget it asks for, on top of what it was granted. */
  readonly draw: Allowance | null;
  readonly hold: HoldDetail | null;
  /** `seq` of the newest `resume` it has obeyed, 0 before any: a hold from before the parent's newest is over. Absent from children of an earlier version. */
  readonly resumed?: number;
}
