import { condition, isCancellation, patched, setHandler, upsertSearchAttributes, workflowInfo } from "@temporalio/workflow";
import type { StageBudget } from "../contract/experiment.ts";
import type { HoldDetail } from "../contract/failures.ts";
import type { RaiseBudget } from "../contract/messages.ts";
import type { UnitStage } from "../contract/stages.ts";
import type { Allowance, RunRef, Spend } from "../contract/units.ts";
import { attributes } from "./attributes.ts";
import { settled } from "./counts.ts";
import { shownName } from "./ids.ts";
import { checkRetry, checkWidth } from "./refusals.ts";
import {
  onReport as onChildReport,
  pauseUpdate,
  raiseBudgetUpdate,
  resumeUpdate,
  retryUnitsUpdate,
  setWidthUpdate,
} from "./signals.ts";
import { RunBudget } from "./run-budget.ts";
import { Team } from "./team.ts";
import type { Heard, Member, Orders } from "./team.ts";

export type DirectorState = "running" | "paused" | "held";

/** The top of a run: pause, holds and money. Whatever a child holds for, nothing new starts anywhere until a person says so. */
export class Director {
  readonly team: Team;
  readonly #run: RunRef;
  /** How a person names the run. */
  readonly #shown: string;
  readonly #controlQueue: string;
  readonly #changed: () => void;
  readonly #leastSamples: number;
  #paused = false;
  #hold: HoldDetail | null = null;
  /** The child that holds, and how many conversations it had ended by then. */
  #holder: { readonly id: string; readonly settled: number } | null = null;
  readonly #budget: RunBudget;
  #dealDue = false;

  constructor({
    run,
    controlQueue,
    budget,
    stageBudgets = {},
    stageOf = () => null,
    window,
    leastSamples,
    changed,
  }: {
    run: RunRef;
    controlQueue: string;
    budget: Allowance;
    stageBudgets?: Readonly<Partial<Record<UnitStage, Allowance>>> | undefined;
    /** Which stage's conversations a child runs. */
    stageOf?: (member: Pick<Member, "id">) => UnitStage | null;
    window: number;
    /** The smallest sample limit of a stage: a retry must allow more. */
    leastSamples: number;
    changed: () => void;
  }) {
    this.#run = run;
    this.#shown = shownName(run, workflowInfo().workflowId);
    this.#controlQueue = controlQueue;
    this.#changed = changed;
    this.#leastSamples = leastSamples;
    this.team = new Team({ orders: { paused: false, window }, onEnd: (member) => this.#book(member) });
    this.#budget = new RunBudget({ team: this.team, cap: budget, stageCaps: stageBudgets, stageOf });
  }

  /** Handles messages from here on. `onReport` sees each report of a child after it was booked. */
  listen(onReport: (member: Member) => void): void {
    onChildReport((report) => {
      const heard = this.team.heard(report);
      if (heard !== null) this.#heard(heard, onReport);
    });
    setHandler(pauseUpdate, () => this.pause());
    setHandler(resumeUpdate, () => this.#resume());
    setHandler(raiseBudgetUpdate, (budget) => this.#raise(budget), {
      validator: (budget) => this.#budget.check(budget),
    });
    setHandler(setWidthUpdate, ({ window }) => this.#setWindow(window), { validator: checkWidth });
    setHandler(retryUnitsUpdate, ({ sampleLimit }) => this.#retry(sampleLimit), {
      validator: (retry) => checkRetry(retry, Math.max(this.#leastSamples, this.team.orders.sampleLimit ?? 0)),
    });
  }

  /** Nothing new starts until a person says so. */
  pause(): void {
    if (this.#paused && patched("no-repeated-orders")) return;
    this.#paused = true;
    this.#pass();
  }

  get state(): DirectorState {
    if (this.#hold !== null) return "held";
    return this.#paused ? "paused" : "running";
  }

  get hold(): HoldDetail | null {
    return this.#hold;
  }

  get budget(): Allowance {
    return this.#budget.cap;
  }

  get stageBudgets(): readonly StageBudget[] {
    return this.#budget.stages;
  }

  get spend(): Spend {
    return this.#budget.spend;
  }

  /** False: the conversations of this stage draw nothing. */
  caps(stage: UnitStage): boolean {
    return this.#budget.caps(stage);
  }

  /** Resolves while something new may start. */
  async gate(): Promise<void> {
    await condition(() => this.state === "running");
  }

  /** Reads what was spent from the call records: a crash hides none of it. */
  async refreshSpend(): Promise<void> {
    await this.#budget.read(this.#run, this.#controlQueue);
    this.#changed();
  }

  /** Answers draws as they come; ends by cancel. */
  async keepBudget(): Promise<never> {
    for (;;) {
      await condition(() => this.#dealDue);
      this.#dealDue = false;
      try {
        await this.refreshSpend();
        this.#deal();
      } catch (error) {
        if (isCancellation(error)) throw error;
        this.#holdFor({
          reason: "operator",
          message: "What was spent can't be read from the call records, so no budget is dealt",
          remedy: `See that the data directory has space and can be read, then: npx attune resume ${this.#shown}`,
        });
      }
    }
  }

  #deal(): void {
    const unknown = this.#budget.unknown(this.#shown);
    if (unknown !== null) return this.#holdFor(unknown);
    const hold = this.#budget.deal(this.#shown);
    if (hold !== null && this.#hold === null) this.#holdFor(hold);
    else this.#changed();
  }

  #heard({ member, hold }: Heard, onReport: (member: Member) => void): void {
    onReport(member);
    if (hold !== null) this.#holdFor(hold, member);
    else if (this.#hold?.reason === "stalled" && this.#moves(member)) this.#lift();
    if (this.team.members.some(({ draw }) => draw !== null)) this.#dealDue = true;
    this.#changed();
  }

  #book(member: Member): void {
    this.#budget.ended(member);
    // What it ended last may not have been reported.
    if (this.#hold?.reason === "stalled" && this.#holder?.id === member.id && patched("stall-ends-with-child")) this.#lift();
    if (this.team.members.some(({ draw }) => draw !== null)) this.#dealDue = true;
  }

  #holdFor(hold: HoldDetail, from?: Member): void {
    // The first reason stays: later ones mostly follow from it. But a stall ends by itself, and what needs a person must not end with it.
    if (this.#hold === null || (this.#hold.reason === "stalled" && hold.reason !== "stalled" && patched("stall-by-child"))) {
      this.#hold = hold;
      this.#holder = from === undefined ? null : { id: from.id, settled: settled(from.counts) };
    }
    // A conversation that was held has not reported what it spent.
    if (hold.reason !== "budget" && patched("spend-at-hold")) this.#dealDue = true;
    this.#pass();
  }

  /** Whether the child that stalled has ended a conversation since. */
  #moves({ id, counts }: Member): boolean {
    const stalled = this.#holder;
    return stalled === null || (id === stalled.id && settled(counts) > stalled.settled) || !patched("stall-by-child");
  }

  #setWindow(window: number): void {
    if (window === this.team.orders.window && patched("no-repeated-orders")) return;
    this.team.tell({ window });
  }

  #resume(): void {
    this.#paused = false;
    this.#lift();
  }

  /** Ends a hold; a pause that a person asked for stays. */
  #lift(change: Partial<Orders> = {}): void {
    const lifted = { reason: this.#hold?.reason ?? "operator", from: this.#holder?.id ?? null };
    this.#hold = null;
    this.#holder = null;
    this.#dealDue ||= this.team.members.some(({ draw }) => draw !== null);
    this.team.tell({ ...change, paused: this.#paused, ...(this.#paused ? {} : { resume: true as const, lifted }) });
    this.#show();
  }

  #raise(budget: RaiseBudget): void {
    this.#budget.raise(budget);
    this.#dealDue = true;
    if (this.#hold?.reason === "budget") this.#lift();
    this.#changed();
  }

  #retry(sampleLimit: number): void {
    // In one signal: the order of two is not certain.
    if (this.#hold?.reason === "kept-share") this.#lift({ sampleLimit });
    else this.team.tell({ sampleLimit });
  }

  #pass(): void {
    this.team.tell({ paused: this.state !== "running" });
    this.#show();
  }

  #show(): void {
    upsertSearchAttributes([{ key: attributes.holdReason, value: this.#hold?.reason ?? (this.#paused ? "operator" : null) }]);
    this.#changed();
  }
}
