import { getExternalWorkflowHandle, workflowInfo } from "@temporalio/workflow";
import type { ChildReport, Control } from "../contract/messages.ts";
import { reportSignal } from "./signals.ts";
import { settled } from "./counts.ts";

/** Least time and least share of the work between two plain reports. */
const everyMs = 5000;
const everyShare = 0.1;

/** Reports to the parent, coarsely; whatever can't wait is sent at once. */
export class Upward {
  readonly #total: number;
  #seq = 0;
  #sentAt = 0;
  #sentSettled = 0;
  #resumed = 0;

  constructor(total: number) {
    this.#total = total;
  }

  /** An order that was obeyed: reports name the newest `resume`. */
  obeyed({ resume, seq }: Control): void {
    if (resume === true) this.#resumed = Math.max(this.#resumed, seq);
  }

  /** `urgent` for what the parent acts on: a hold, a draw, the last unit scheduled. Answers whether it was sent. */
  send(report: Omit<ChildReport, "from" | "seq" | "resumed">, urgent = false): boolean {
    const { parent, workflowId } = workflowInfo();
    const done = settled(report.counts);
    const due = Date.now() - this.#sentAt >= everyMs || done - this.#sentSettled >= everyShare * this.#total;
    if (parent === undefined || !(urgent || (due && done !== this.#sentSettled))) return false;
    this.#sentAt = Date.now();
    this.#sentSettled = done;
    this.#seq += 1;
    // A parent that has closed wants no reports; it has asked this workflow to end.
    void getExternalWorkflowHandle(parent.workflowId, parent.runId)
      .signal(reportSignal, { ...report, from: workflowId, seq: this.#seq, resumed: this.#resumed })
      .catch(() => undefined);
    return true;
  }
}
