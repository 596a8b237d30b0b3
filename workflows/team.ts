import { WorkflowExecutionAlreadyStartedError } from "@temporalio/common";
import { ApplicationFailure, ParentClosePolicy, sleep, startChild } from "@temporalio/workflow";
import type { ChildWorkflowHandle, ChildWorkflowOptions, Workflow, WorkflowResultType } from "@temporalio/workflow";
import type { Counts } from "../contract/experiment.ts";
import type { HoldDetail } from "../contract/failures.ts";
import type { ChildReport, Control } from "../contract/messages.ts";
import type { Allowance, Spend } from "../contract/units.ts";
import { nothing, plus } from "./allowance.ts";
import { noSpend } from "../domain/spend.ts";
import { noCounts } from "./counts.ts";
import { controlSignal } from "./signals.ts";

/** A child at work, as its reports show it. */
export interface Member {
  readonly id: string;
  /** What one conversation of it may spend. */
  readonly unit: Allowance;
  counts: Counts;
  spend: Spend;
  open: number;
  allScheduled: boolean;
  /** Highest `seq` of its reports. */
  newest: number;
  /** `seq` of the last order that was given before it was started. */
  readonly since: number;
  granted: Allowance;
  /** What it asked for and has not been given. */
  draw: Allowance | null;
  readonly send: (control: Control) => void;
}

/** A report after it was booked; `hold` is null, too, when the child was told to go on since it held. */
export interface Heard {
  readonly member: Member;
  readonly hold: HoldDetail | null;
}

/** What all children were told; a new child takes it from its input. */
export interface Orders {
  readonly paused: boolean;
  readonly window?: number;
  readonly sampleLimit?: number;
}

/** Between two tries to start a child whose last run is still closing, and how often. */
const againMs = 2000;
const triesToStart = 60;

/** A workflow's children: starts them, passes orders down, keeps what they report. */
export class Team {
  readonly #members = new Map<string, Member>();
  readonly #onEnd: (member: Member) => void;
  #orders: Orders;
  #seq = 0;
  /** The lowest `seq` of the newest `resume`. */
  #resumed = 0;

  constructor({ orders, onEnd }: { orders: Orders; onEnd: (member: Member) => void }) {
    this.#orders = orders;
    this.#onEnd = onEnd;
  }

  get members(): readonly Member[] {
    return [...this.#members.values()];
  }

  get orders(): Orders {
    return this.#orders;
  }

  /** Null when the child has ended meanwhile. */
  heard(report: ChildReport): Heard | null {
    const member = this.#members.get(report.from);
    if (member === undefined) return null;
    const { counts, spend, open, allScheduled, draw, seq } = report;
    if (seq > member.newest) Object.assign(member, { counts, spend, open, allScheduled, newest: seq });
    member.draw = draw ?? member.draw;
    const over = member.since < this.#resumed && (report.resumed ?? Infinity) < this.#resumed;
    return { member, hold: over ? null : report.hold };
  }

  tell({ resume, lifted, ...change }: Partial<Orders> & Pick<Control, "resume" | "lifted">): void {
    this.#orders = { ...this.#orders, ...change };
    if (resume === true) this.#resumed = this.#seq + 1;
    const goOn = resume === true ? { resume, ...(lifted === undefined ? {} : { lifted }) } : {};
    for (const { send } of this.#members.values()) send(this.#control({ ...change, ...goOn }));
  }

  grant(member: Member, amount: Allowance): void {
    member.granted = plus(member.granted, amount);
    member.draw = null;
    member.send(this.#control({ grant: amount }));
  }

  /** Every order again: signals may overtake each other, and of two the older is dropped. */
  #control(change: Omit<Partial<Control>, "seq">): Control {
    this.#seq += 1;
    return { ...this.#orders, ...change, paused: this.#orders.paused, seq: this.#seq };
  }

  /** Runs a child to its end. Cancelled with its parent; when the parent is closed otherwise, it is asked to cancel, so that it stops what it owns. */
  async run<W extends Workflow>(
    workflow: W,
    {
      id,
      unit,
      input,
      ...options
    }: { id: string; unit: Allowance; input: (orders: Orders) => Parameters<W>[0] } & Pick<
      ChildWorkflowOptions,
      "typedSearchAttributes" | "staticSummary"
    >,
  ): Promise<WorkflowResultType<W>> {
    let handle: ChildWorkflowHandle<W> | null = null;
    const early: Control[] = [];
    const member: Member = {
      id,
      unit,
      counts: noCounts,
      spend: noSpend,
      open: 0,
      allScheduled: false,
      newest: 0,
      since: this.#seq,
      granted: nothing,
      draw: null,
      send: (control) => {
        if (handle === null) early.push(control);
        // A child that has ended needs no orders.
        else void handle.signal(controlSignal, control).catch(() => undefined);
      },
    };
    this.#members.set(id, member);
    try {
      handle = await startWhenFree(workflow, {
        ...options,
        workflowId: id,
        args: [input(this.#orders)],
        parentClosePolicy: ParentClosePolicy.REQUEST_CANCEL,
      });
      for (const control of early) member.send(control);
      return await handle.result();
    } finally {
      this.#members.delete(id);
      this.#onEnd(member);
    }
  }
}

async function startWhenFree<W extends Workflow>(
  workflow: W,
  options: ChildWorkflowOptions & { workflowId: string; args: unknown[] },
): Promise<ChildWorkflowHandle<W>> {
  for (let tries = 1; ; tries += 1) {
    try {
      return (await startChild<Workflow>(workflow.name, options)) as ChildWorkflowHandle<W>;
    } catch (error) {
      if (!(error instanceof WorkflowExecutionAlreadyStartedError)) throw error;
      if (tries >= triesToStart)
        throw ApplicationFailure.nonRetryable(
          `Workflow ${options.workflowId} of an earlier run is still open. Cancel or terminate it, then run again.`,
          "ChildStillOpen",
        );
      await sleep(againMs, { summary: `waiting for ${options.workflowId} of an earlier run to close` });
    }
  }
}
