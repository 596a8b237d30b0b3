import { ApplicationFailure, patched } from "@temporalio/workflow";
import { control } from "./activities.ts";
import type { StageBudget } from "../contract/experiment.ts";
import type { HoldDetail } from "../contract/failures.ts";
import type { RaiseBudget } from "../contract/messages.ts";
import type { UnitStage } from "../contract/stages.ts";
import type { Allowance, RunRef, Spend } from "../contract/units.ts";
import { atMost, covers, minus, spent } from "./allowance.ts";
import { costUnknown, usedUp } from "./budget-holds.ts";
import { deal, reserved } from "./budget.ts";
import { checkRaise } from "./refusals.ts";
import { Spending } from "./spending.ts";
import { StageCaps } from "./stage-caps.ts";
import type { Member, Team } from "./team.ts";

const noCap: Allowance = { calls: null, usd: null };

/** A run's money: its cap and those of its stages, what was spent, and what children may draw. */
export class RunBudget {
  readonly #team: Team;
  readonly #stages: StageCaps;
  readonly #spending = new Spending();
  #cap: Allowance;

  constructor({
    team,
    cap,
    stageCaps,
    stageOf,
  }: {
    team: Team;
    cap: Allowance;
    stageCaps: Readonly<Partial<Record<UnitStage, Allowance>>>;
    /** Which stage's conversations a child runs. */
    stageOf: (member: Pick<Member, "id">) => UnitStage | null;
  }) {
    this.#team = team;
    this.#cap = cap;
    this.#stages = new StageCaps(stageCaps, stageOf);
  }

  get cap(): Allowance {
    return this.#cap;
  }

  get stages(): readonly StageBudget[] {
    return this.#stages.shown(this.#team.members);
  }

  get spend(): Spend {
    return this.#spending.total(this.#open());
  }

  /** False: no cap, so that the conversations of this stage draw nothing. */
  caps(stage: UnitStage): boolean {
    return this.#cap.calls !== null || this.#cap.usd !== null || this.#stages.of(stage) !== null;
  }

  ended(member: Member): void {
    this.#spending.ended(member.spend);
    this.#stages.ended(member);
  }

  /** Reads what was spent from the call records: a crash hides none of it. */
  async read(run: RunRef, controlQueue: string): Promise<void> {
    const reported = this.#spending.reported(this.#open());
    const byStage = this.#stages.reported(this.#team.members);
    const recorded = await control(controlQueue, "spend so far").readSpend({
      run,
      ...(this.#stages.any ? { byStage: true } : {}),
    });
    if (this.#stages.any && recorded.stages === undefined)
      throw ApplicationFailure.nonRetryable(
        "A control worker of an earlier version does not know what single stages spent",
        "BadConfig",
      );
    this.#spending.read(recorded, reported);
    this.#stages.read(recorded.stages ?? {}, byStage);
  }

  /** A sum that nobody knows can't be held against a cap; null: it is known, or no cap needs it. */
  unknown(run: string): HoldDetail | null {
    const { recorded } = this.#spending;
    if (this.#cap.usd !== null && recorded.usd === null) return costUnknown(run, recorded);
    const stage = this.#stages.unknown();
    return stage === null ? null : costUnknown(run, this.#stages.recorded(stage), stage);
  }

  /** Gives members what there is; answers why the run must wait for a person, null while it need not. */
  deal(run: string): HoldDetail | null {
    const { members } = this.#team;
    const { recorded } = this.#spending;
    deal(this.#team, minus(minus(this.#cap, spent(recorded)), reserved(members)), {
      ownLeft: (member) => this.#stages.left(member, members),
      byDraw: () => patched("deal-by-draw"),
    });
    const stage = this.#stages.usedUp(members, (left, { draw, unit }) => covers(left, atMost(draw ?? unit, unit)));
    if (stage !== null)
      return usedUp(run, { cap: this.#stages.of(stage) ?? noCap, recorded: this.#stages.recorded(stage), stage });
    const stuck = members.length > 0 && members.every(({ draw, open }) => draw !== null && open === 0);
    return stuck ? usedUp(run, { cap: this.#cap, recorded }) : null;
  }

  /** @throws ApplicationFailure `Refused` */
  check(budget: RaiseBudget): void {
    checkRaise(budget, budget.stage === undefined ? this.#cap : this.#stages.of(budget.stage));
  }

  raise({ stage, calls, usd }: RaiseBudget): void {
    if (stage === undefined) this.#cap = { calls, usd };
    else this.#stages.raise(stage, { calls, usd });
  }

  #open(): readonly Spend[] {
    return this.#team.members.map(({ spend }) => spend);
  }
}
