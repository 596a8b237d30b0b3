import { condition, isCancellation, patched, setHandler, upsertSearchAttributes, workflowInfo } from "@temporalio/workflow";
import type { HoldDetail } from "../contract/failures.ts";
import type { RaiseBudget } from "../contract/messages.ts";
import type { Allowance, RunRef, Spend } from "../contract/units.ts";
import { control } from "./activities.ts";
import { minus, spent } from "./allowance.ts";
import { attributes } from "./attributes.ts";
import { costUnknown, usedUp } from "./budget-holds.ts";
import { deal, reserved } from "./budget.ts";
import { shownName } from "./ids.ts";
import { checkRaise, checkRetry, checkWidth } from "./refusals.ts";
import {
  onReport as onChildReport,
  pauseUpdate,
  raiseBudgetUpdate,
  resumeUpdate,
  retryUnitsUpdate,
  setWidthUpdate,
} from "./signals.ts";
import { Spending } from "./spending.ts";
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
  #cap: Allowance;
  #paused = false;
  #hold: HoldDetail | null = null;
  readonly #spending = new Spending();
  #dealDue = false;

  constructor({
    run,
    controlQueue,
    budget,
    window,
    leastSamples,
    changed,
  }: {
    run: RunRef;
    controlQueue: string;
    budget: Allowance;
    window: number;
    /** The smallest sample limit of a stage: a retry must allow more. */
    leastSamples: number;
    changed: () => void;
  }) {
    this.#run = run;
    this.#shown = shownName(run, workflowInfo().workflowId);
    this.#controlQueue = controlQueue;
    this.#cap = budget;
    this.#changed = changed;
    this.#leastSamples = leastSamples;
    this.team = new Team({ orders: { paused: false, window }, onEnd: (member) => this.#book(member) });
  }

  /** Handles messages from here on. `onReport` sees each report of a child after it was booked. */
  listen(onReport: (member: Member) => void): void {
    onChildReport((report) => {
      const heard = this.team.heard(report);
      if (heard !== null) this.#heard(heard, onReport);
    });
    setHandler(pauseUpdate, () => this.pause());
    setHandler(resumeUpdate, () => this.#resume());
    setHandler(raiseBudgetUpdate, (budget) => this.#raise(budget), { validator: (budget) => checkRaise(budget, this.#cap) });
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
    return this.#cap;
  }

  /** False: no cap, so that nothing is drawn. */
  get capped(): boolean {
    return this.#cap.calls !== null || this.#cap.usd !== null;
  }

  get spend(): Spend {
    return this.#spending.total(this.#openSpend());
  }

  /** Resolves while something new may start. */
  async gate(): Promise<void> {
    await condition(() => this.state === "running");
  }

  /** Reads what was spent from the call records: a crash hides none of it. */
  async refreshSpend(): Promise<void> {
    const reported = this.#spending.reported(this.#openSpend());
    this.#spending.read(await control(this.#controlQueue, "spend so far").readSpend({ run: this.#run }), reported);
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
    const { members } = this.team;
    const { recorded } = this.#spending;
    // A sum that nobody knows can't be held against a cap.
    if (this.#cap.usd !== null && recorded.usd === null) return this.#holdFor(costUnknown(this.#shown, recorded));
    deal(this.team, minus(minus(this.#cap, spent(recorded)), reserved(members)));
    const stuck = members.length > 0 && members.every(({ draw, open }) => draw !== null && open === 0);
    if (stuck && this.#hold === null) this.#holdFor(usedUp(this.#shown, { cap: this.#cap, recorded }));
    this.#changed();
  }

  #heard({ member, hold }: Heard, onReport: (member: Member) => void): void {
    onReport(member);
    if (hold !== null) this.#holdFor(hold);
    else if (this.#hold?.reason === "stalled") this.#lift();
    if (this.team.members.some(({ draw }) => draw !== null)) this.#dealDue = true;
    this.#changed();
  }

  #book({ spend }: Member): void {
    this.#spending.ended(spend);
    if (this.team.members.some(({ draw }) => draw !== null)) this.#dealDue = true;
  }

  #holdFor(hold: HoldDetail): void {
    // The first reason stays: later ones mostly follow from it.
    this.#hold ??= hold;
    // A conversation that was held has not reported what it spent.
    if (hold.reason !== "budget" && patched("spend-at-hold")) this.#dealDue = true;
    this.#pass();
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
    this.#hold = null;
    this.#dealDue ||= this.team.members.some(({ draw }) => draw !== null);
    this.team.tell({ ...change, paused: this.#paused, ...(this.#paused ? {} : { resume: true as const }) });
    this.#show();
  }

  #raise(budget: RaiseBudget): void {
    this.#cap = budget;
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

  #openSpend(): Spend[] {
    return this.team.members.map(({ spend }) => spend);
  }
}
