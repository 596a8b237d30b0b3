import type { StageBudget } from "../contract/experiment.ts";
import type { UnitStage } from "../contract/stages.ts";
import type { Allowance, Spend } from "../contract/units.ts";
import { minus, spent } from "./allowance.ts";
import { reserved } from "./budget.ts";
import { noSpend } from "../domain/spend.ts";
import { Spending } from "./spending.ts";
import type { Member } from "./team.ts";

/** Caps of single stages, beside the run's: what each has spent and may still grant. */
export class StageCaps {
  readonly #stageOf: (member: Pick<Member, "id">) => UnitStage | null;
  readonly #caps = new Map<UnitStage, { cap: Allowance; readonly spending: Spending }>();

  constructor(caps: Readonly<Partial<Record<UnitStage, Allowance>>>, stageOf: (member: Pick<Member, "id">) => UnitStage | null) {
    this.#stageOf = stageOf;
    for (const [stage, cap] of Object.entries(caps)) this.#caps.set(stage as UnitStage, { cap, spending: new Spending() });
  }

  get any(): boolean {
    return this.#caps.size > 0;
  }

  of(stage: UnitStage): Allowance | null {
    return this.#caps.get(stage)?.cap ?? null;
  }

  /** Takes the place of the cap that is there. */
  raise(stage: UnitStage, cap: Allowance): void {
    const there = this.#caps.get(stage);
    if (there !== undefined) there.cap = cap;
  }

  ended(member: Member): void {
    const stage = this.#stageOf(member);
    if (stage !== null) this.#caps.get(stage)?.spending.ended(member.spend);
  }

  /** What members have reported by now, to go with a reading of the call records that begins now. */
  reported(members: readonly Member[]): ReadonlyMap<UnitStage, Spend> {
    return new Map([...this.#caps].map(([stage, { spending }]) => [stage, spending.reported(this.#openOf(stage, members))]));
  }

  read(recorded: Readonly<Partial<Record<UnitStage, Spend>>>, reported: ReadonlyMap<UnitStage, Spend>): void {
    for (const [stage, { spending }] of this.#caps) spending.read(recorded[stage] ?? noSpend, reported.get(stage) ?? noSpend);
  }

  recorded(stage: UnitStage): Spend {
    return this.#caps.get(stage)?.spending.recorded ?? noSpend;
  }

  /** A stage with a cap in dollars that has calls without a price. */
  unknown(): UnitStage | null {
    const found = [...this.#caps].find(([, { cap, spending }]) => cap.usd !== null && spending.recorded.usd === null);
    return found?.[0] ?? null;
  }

  /** What a member's stage may still grant by its own cap; null where the stage has none. */
  left(member: Member, members: readonly Member[]): Allowance | null {
    const stage = this.#stageOf(member);
    const capped = stage === null ? undefined : this.#caps.get(stage);
    if (stage === null || capped === undefined) return null;
    return minus(minus(capped.cap, spent(capped.spending.recorded)), reserved(this.#membersOf(stage, members)));
  }

  /** A stage whose members all wait for what its own cap does not cover any more. */
  usedUp(members: readonly Member[], covers: (left: Allowance, member: Member) => boolean): UnitStage | null {
    for (const stage of this.#caps.keys()) {
      const own = this.#membersOf(stage, members);
      const waits = own.filter(({ draw, open }) => draw !== null && open === 0);
      const [first] = own;
      if (first === undefined || waits.length < own.length) continue;
      const left = this.left(first, members);
      if (left !== null && own.every((member) => !covers(left, member))) return stage;
    }
    return null;
  }

  shown(members: readonly Member[]): readonly StageBudget[] {
    return [...this.#caps].map(([stage, { cap, spending }]) => ({
      stage,
      budget: cap,
      spend: spending.total(this.#openOf(stage, members)),
    }));
  }

  #membersOf(stage: UnitStage, members: readonly Member[]): readonly Member[] {
    return members.filter((member) => this.#stageOf(member) === stage);
  }

  #openOf(stage: UnitStage, members: readonly Member[]): readonly Spend[] {
    return this.#membersOf(stage, members).map(({ spend }) => spend);
  }
}
