import fc from "fast-check";
import { describe, expect, test } from "vitest";
import type { Allowance, Spend } from "../../../contract/units.ts";
import { covers, minus, nothing, plus, spent, times } from "../../../workflows/allowance.ts";
import { deal, Pool, reserved } from "../../../workflows/budget.ts";
import { noSpend, sumSpend } from "../../../domain/spend.ts";
import { Purse } from "../../../workflows/purse.ts";
import { StageCaps } from "../../../workflows/stage-caps.ts";
import type { Member, Team } from "../../../workflows/team.ts";

/** A shard at work on the real purse, and as the run sees it. */
class Shard {
  readonly purse: Purse;
  readonly member: Member;
  readonly #unit: Allowance;
  left: number;

  constructor(unit: Allowance, units: number) {
    this.#unit = unit;
    this.left = units;
    this.purse = new Purse({ unit, unlimited: false });
    this.member = {
      id: "shard",
      unit,
      counts: { done: 0, dropped: {}, failed: {} },
      spend: noSpend,
      open: 0,
      allScheduled: false,
      newest: 0,
      since: 0,
      granted: nothing,
      draw: null,
      send: () => undefined,
    };
  }

  /** Starts what it may, then asks for more. */
  move(): void {
    const { member, purse } = this;
    while (this.left > 0 && purse.mayStart(member.spend, member.open)) {
      this.left -= 1;
      member.open += 1;
    }
    member.draw = purse.draw(member.spend, member.open, Math.min(4, this.left)) ?? member.draw;
  }

  /** One open conversation ends, having spent this share of its allowance. */
  end(share: number): void {
    const { member } = this;
    if (member.open === 0) return;
    member.open -= 1;
    const { calls, usd } = this.#unit;
    const { spend } = member;
    const used = Math.floor((calls ?? 10) * share);
    member.spend = {
      calls: spend.calls + used,
      reread: 0,
      usd: spend.usd === null ? null : spend.usd + Math.floor((usd ?? 1) * 64 * share) / 64,
    };
  }
}

class Run {
  readonly #shards: readonly Shard[];
  readonly #cap: Allowance;
  readonly #stages: StageCaps;
  readonly #staged: readonly Shard[];

  constructor(cap: Allowance, shards: readonly Shard[], stage?: { readonly cap: Allowance; readonly shards: readonly Shard[] }) {
    this.#cap = cap;
    this.#shards = shards;
    this.#stages = new StageCaps(stage === undefined ? {} : { converse: stage.cap }, (member) =>
      stage?.shards.some((shard) => shard.member === member) === true ? "converse" : null,
    );
    this.#staged = stage?.shards ?? [];
  }

  get spend(): Spend {
    return sumSpend(this.#shards.map(({ member }) => member.spend));
  }

  /** As the top of a run does it; answers what is left. */
  deal(): Allowance {
    const members = this.#shards.map(({ member }) => member);
    const team = {
      members,
      grant: (member: Member, amount: Allowance) => {
        member.granted = plus(member.granted, amount);
        member.draw = null;
        this.#shards.find((shard) => shard.member === member)?.purse.take(amount);
      },
    } as unknown as Team;
    this.#stages.read({ converse: sumSpend(this.#staged.map(({ member }) => member.spend)) }, new Map());
    return deal(team, minus(minus(this.#cap, spent(this.spend)), reserved(members)), {
      ownLeft: (member) => this.#stages.left(member, members),
    });
  }
}

const dollars = (least: number, most: number) => fc.integer({ min: least, max: most }).map((parts) => parts / 64);
/** A cap, and what a conversation reserves: dollars where the cap has some. */
const terms = fc.oneof(
  fc.record({
    limit: fc.record({ calls: fc.integer({ min: 1, max: 300 }), usd: fc.constant(null) }),
    each: fc.record({ calls: fc.integer({ min: 1, max: 20 }), usd: fc.constant(null) }),
  }),
  fc.record({
    limit: fc.record({ calls: fc.option(fc.integer({ min: 1, max: 300 })), usd: dollars(1, 3000) }),
    each: fc.record({ calls: fc.integer({ min: 1, max: 20 }), usd: dollars(1, 200) }),
  }),
);
const step = fc.record({
  who: fc.nat(2),
  share: fc.double({ min: 0, max: 1, noNaN: true }),
  does: fc.constantFrom("end", "move", "deal"),
});

describe("a budget that shards draw from", () => {
  test("and a stage's own cap, beside it, are never overdrawn, and a stage without one uses what is left", () => {
    fc.assert(
      fc.property(terms, fc.integer({ min: 1, max: 100 }), fc.array(step, { minLength: 30, maxLength: 80 }), (of, own, steps) => {
        const { limit, each } = of;
        const shards = [5, 20, 9].map((units) => new Shard(each, units));
        const staged = shards.slice(0, 2);
        const run = new Run(limit, shards, { cap: { calls: own, usd: null }, shards: staged });
        for (const { who, share, does } of steps) {
          if (does === "deal") run.deal();
          else if (does === "move") shards[who]?.move();
          else shards[who]?.end(share);
          const open = (some: readonly Shard[]) => some.reduce((sum, { member }) => sum + member.open, 0);
          expect(covers(limit, plus(spent(run.spend), times(each, open(shards))))).toBe(true);
          const used = staged.reduce((sum, { member }) => sum + member.spend.calls, 0);
          expect(used + open(staged) * (each.calls ?? 0)).toBeLessThanOrEqual(own);
        }
      }),
    );
  });

  test("is never overdrawn by conversations that keep to their allowance, whoever asks when", () => {
    fc.assert(
      fc.property(terms, fc.array(step, { minLength: 30, maxLength: 80 }), ({ limit, each }, steps) => {
        const shards = [5, 20, 9].map((units) => new Shard(each, units));
        const run = new Run(limit, shards);
        for (const { who, share, does } of steps) {
          if (does === "deal") run.deal();
          else if (does === "move") shards[who]?.move();
          else shards[who]?.end(share);
          const open = shards.reduce((sum, { member }) => sum + member.open, 0);
          // What is spent and what those under way may still spend.
          expect(covers(limit, plus(spent(run.spend), times(each, open)))).toBe(true);
        }
      }),
    );
  });

  test("that conversations spend in full is used until what is left covers no other, so that no work waits beside its money", () => {
    fc.assert(
      fc.property(terms, ({ limit, each }) => {
        const shards = [5, 20, 9].map((units) => new Shard(each, units));
        const run = new Run(limit, shards);
        for (let round = 0; round < 60; round += 1) {
          for (const shard of shards) shard.move();
          run.deal();
          for (const shard of shards) shard.move();
          for (const shard of shards) for (let open = shard.member.open; open > 0; open -= 1) shard.end(1);
        }
        if (shards.some(({ left }) => left > 0)) expect(covers(minus(limit, spent(run.spend)), each)).toBe(false);
      }),
    );
  });

  test("is dealt in what is asked for, though the other amount is used up, and a level between asks for nothing that it has", () => {
    const amount = fc.record({ calls: fc.integer({ min: 0, max: 6 }), usd: dollars(0, 12) });
    const unit = { calls: 2, usd: 16 / 64 };
    fc.assert(
      fc.property(amount, fc.array(amount, { minLength: 1, maxLength: 3 }), (granted, draws) => {
        const members = draws.map((draw) => ({ ...new Shard(unit, 1).member, draw: draw as Allowance | null }));
        const pool = new Pool(() => true);
        pool.take(granted);
        const grant = (member: Member, given: Allowance) =>
          Object.assign(member, { granted: plus(member.granted, given), draw: null });
        const ask = pool.settle({ members, grant } as unknown as Team);
        if (ask !== null) expect(covers(nothing, ask)).toBe(false);
        // What it could have given is not waited for.
        if (draws.length === 1 && covers(granted, draws[0] ?? nothing)) expect(members[0]?.draw).toBeNull();
        if (ask === null) expect(members.every(({ draw }) => draw === null)).toBe(true);
      }),
    );
  });

  test("smaller than one conversation may need starts none, and nobody is given a part of one", () => {
    const shard = new Shard({ calls: 10, usd: null }, 5);
    const run = new Run({ calls: 9, usd: null }, [shard]);
    shard.move();
    expect(run.deal()).toEqual({ calls: 9, usd: null });
    shard.move();
    expect([shard.member.open, shard.purse.waits]).toEqual([0, true]);
  });
});
