import { defineQuery, defineSignal, defineUpdate, setHandler } from "@temporalio/workflow";
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

/** Anybody can send a signal from the UI; one that no workflow of ours has sent must not stop a run for good. */
export function onControl(handle: (control: Control) => void): void {
  setHandler(controlSignal, (control: Partial<Control> | undefined) => {
    if (typeof control?.seq === "number" && typeof control.paused === "boolean") handle(control as Control);
  });
}

export function onReport(handle: (report: ChildReport) => void): void {
  setHandler(reportSignal, (report: Partial<ChildReport> | undefined) => {
    const { from, seq, counts, spend, open } = report ?? {};
    const whole = typeof from === "string" && typeof seq === "number" && typeof open === "number";
    if (whole && isRecord(counts) && isRecord(counts.dropped) && isRecord(counts.failed) && isRecord(spend))
      handle(report as ChildReport);
  });
}

const isRecord = (value: unknown): value is object => typeof value === "object" && value !== null;

/** Answer of a batch, a shard or an evaluation to `progress`. */
export interface PartProgress {
  readonly counts: Counts;
  readonly total: number;
  readonly open: number;
  readonly paused: boolean;
}

export const progressQuery = defineQuery<Progress>(messages.progress);
export const partProgressQuery = defineQuery<PartProgress>(messages.progress);
