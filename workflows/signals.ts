import { defineQuery, defineSignal, defineUpdate } from "@temporalio/workflow";
import type { Counts, Progress } from "../contract/experiment.ts";
import { messages } from "../contract/messages.ts";
import type { ChildReport, Control, RaiseBudget, RetryUnits, SetWidth } from "../contract/messages.ts";

export const pauseUpdate = defineUpdate<void>(messages.pause);
export const resumeUpdate = defineUpdate<void>(messages.resume);
export const raiseBudgetUpdate = defineUpdate<void, [RaiseBudget]>(messages.raiseBudget);
export const setWidthUpdate = defineUpdate<void, [SetWidth]>(messages.setWidth);
export const retryUnitsUpdate = defineUpdate<void, [RetryUnits]>(messages.retryUnits);

export const controlSignal = defineSignal<[Control]>(messages.control);
export const reportSignal = defineSignal<[ChildReport]>(messages.report);

/** Answer of a batch, a shard or an evaluation to `progress`. */
export interface PartProgress {
  readonly counts: Counts;
  readonly total: number;
  readonly open: number;
  readonly paused: boolean;
}

export const progressQuery = defineQuery<Progress>(messages.progress);
export const partProgressQuery = defineQuery<PartProgress>(messages.progress);
