import fc from "fast-check";
import { describe, expect, it, vi } from "vitest";
import type { Limiter } from "../../../platform/llm/limiter.ts";
import { fairShares } from "../../../platform/llm/shares/fair.ts";
import { afterLeaving, type Amounts, type Holders, leaseMs, rebalance, usageNow } from "../../../platform/llm/shares/holders.ts";
import { Lease } from "../../../platform/llm/shares/lease.ts";
import { Silence } from "../../../platform/llm/shares/silence.ts";
import { minuteWindow } from "../../../platform/llm/minute-window.ts";
import type { Records } from "../../../platform/records/records.ts";

const ceiling: Amounts = { calls: 64, requestsPerMinute: 600, tokensPerMinute: null };
const idle = { calls: 0, requests: 0, tokens: 0 };
/** As a process sees it that has looked all the time, with everybody's clocks alike. */
const silenceAt = (holders: Holders, now: number) => (id: string) => now - (holders[id]?.at ?? now);
const look = (holders: Holders, me: string, demand: number, used = idle, now = 0) =>
  rebalance(holders, me, { ceiling, demand, width: 0, used, now, silence: silenceAt(holders, now) });

describe("fair shares", () => {
  const demands = fc.dictionary(fc.string({ minLength: 1, maxLength: 3 }), fc.nat(200), { minKeys: 1, maxKeys: 8 });

  it("change whom an uneven division favours, so that nobody goes without for ever", () => {
    const hungry = new Map(["a", "b", "c", "d"].map((id) => [id, 100]));
    const fed = new Set<string>();
    for (let turn = 0; turn < 60; turn += 1) for (const [id, share] of fairShares(hungry, 2, turn)) if (share > 0) fed.add(id);
    expect([...fed].toSorted()).toEqual(["a", "b", "c", "d"]);
  });

  it("add up to the total, and nobody is short while another has more than it wants", () => {
    fc.assert(
      fc.property(demands, fc.integer({ min: 1, max: 300 }), fc.nat(9), (wanted, total, turn) => {
        const shares = fairShares(new Map(Object.entries(wanted)), total, turn);
        expect([...shares.values()].reduce((a, b) => a + b, 0)).toBe(total);
        const want = (id: string) => Math.max(1, wanted[id] ?? 0);
        const short = [...shares].filter(([id, share]) => share < want(id));
        const rich = [...shares].filter(([id, share]) => share > want(id) + 1);
        if (short.length > 0) expect(rich).toEqual([]);
        const shortShares = short.map(([, share]) => share);
        if (short.length > 1) expect(Math.max(...shortShares) - Math.min(...shortShares)).toBeLessThanOrEqual(1);
      }),
    );
  });
});

describe("a part of a provider's limits", () => {
  it("is all of them for one process alone", () => {
    expect(look({}, "a", 3).mine).toEqual(ceiling);
  });

  it("is nothing for a newcomer until the others have given", () => {
    const first = look({}, "a", 100);
    const newcomer = look(first.holders, "b", 100);
    expect(newcomer.mine).toEqual({ calls: 0, requestsPerMinute: 0, tokensPerMinute: null });
    const busy = look(newcomer.holders, "a", 100, { calls: 50, requests: 550, tokens: 0 });
    expect(busy.mine.calls).toBe(32);
    expect(look(busy.holders, "b", 100).mine).toMatchObject({ calls: 14, requestsPerMinute: 50 });
    const drained = look(busy.holders, "a", 100, { calls: 32, requests: 300, tokens: 0 });
    expect(look(drained.holders, "b", 100).mine).toMatchObject({ calls: 32, requestsPerMinute: 300 });
  });

  it("shows how the provider is used, by the processes that live", () => {
    const a = rebalance({}, "a", {
      ceiling,
      demand: 9,
      width: 40,
      used: { calls: 7, requests: 0, tokens: 0 },
      now: 0,
      silence: () => 0,
    });
    const b = rebalance(a.holders, "b", { ceiling, demand: 1, width: 3, used: idle, now: leaseMs, silence: () => leaseMs });
    expect(usageNow(b.holders, leaseMs)).toEqual({ workers: 2, inFlight: 7, width: 43 });
    expect(usageNow(b.holders, leaseMs + 1)).toEqual({ workers: 1, inFlight: 0, width: 3 });
  });

  it("of a dead process falls to the others after its lease, its minute's calls a minute later", () => {
    const a = look({}, "a", 100);
    const b = look(a.holders, "b", 100);
    const gone = leaseMs + 1;
    expect(look(b.holders, "b", 100, idle, leaseMs).mine.calls).toBe(0);
    expect(look(b.holders, "b", 100, idle, gone).mine).toMatchObject({ calls: 64, requestsPerMinute: 0 });
    expect(look(b.holders, "b", 100, idle, gone + 60_000).mine).toMatchObject({ calls: 64, requestsPerMinute: 600 });
  });

  it("of small rates is never nothing for all", () => {
    const few: Amounts = { calls: 64, requestsPerMinute: 3, tokensPerMinute: null };
    const ids = ["a", "b", "c", "d"];
    let holders: Holders = {};
    for (let round = 0; round < 3; round += 1)
      for (const id of ids)
        ({ holders } = rebalance(holders, id, { ceiling: few, demand: 20, width: 0, used: idle, now: 0, silence: () => 0 }));
    expect(ids.reduce((sum, id) => sum + (holders[id]?.held.requestsPerMinute ?? 0), 0)).toBe(3);
  });

  it("of one that left still counts what its last minute used", () => {
    const a = look({}, "a", 100);
    const used = { calls: 0, requests: 590, tokens: 0 };
    const left = afterLeaving(a.holders, "a", { ceiling, used, now: 0 });
    expect(look(left, "b", 100, idle, 1).mine).toMatchObject({ calls: 64, requestsPerMinute: 10 });
    expect(look(left, "b", 100, idle, leaseMs + 60_001).mine).toMatchObject({ calls: 64, requestsPerMinute: 600 });
    expect(afterLeaving(a.holders, "a", { ceiling: { ...ceiling, requestsPerMinute: null }, used, now: 0 })).toEqual({});
  });

  it("never lets the parts exceed the limits, whoever looks when, leaves or dies, and leaves nothing lying about in the end", () => {
    const limits = { calls: 64, requestsPerMinute: 150, tokensPerMinute: 3000 };
    const step = fc.record({
      who: fc.nat(3),
      demand: fc.nat(100),
      tokens: fc.integer({ min: 1, max: 60 }),
      ends: fc.nat(64),
      passes: fc.nat(3000),
      goes: fc.constantFrom("on", "on", "on", "on", "on", "on", "away", "dead"),
    });
    fc.assert(
      fc.property(fc.array(step, { minLength: 1, maxLength: 100 }), (steps) => {
        let holders: Holders = {};
        let now = 0;
        const living = new Map<string, Caller>();
        const callers: Caller[] = [];
        const find = (id: string) => {
          const there = living.get(id) ?? newCaller();
          if (!living.has(id)) callers.push(there);
          living.set(id, there);
          return there;
        };
        const sums = (all: readonly Amounts[]): Amounts => ({
          calls: all.reduce((sum, { calls }) => sum + calls, 0),
          requestsPerMinute: all.reduce((sum, { requestsPerMinute }) => sum + (requestsPerMinute ?? 0), 0),
          tokensPerMinute: all.reduce((sum, { tokensPerMinute }) => sum + (tokensPerMinute ?? 0), 0),
        });
        const expectWithin = (amounts: Amounts) => {
          for (const [what, limit] of Object.entries(limits))
            expect(amounts[what as keyof Amounts], what).toBeLessThanOrEqual(limit);
        };
        const check = () => {
          expectWithin(sums(Object.values(holders).map(({ held }) => held)));
          expectWithin(
            sums(
              callers.map(({ used }) => {
                const { calls, requests, tokens } = used(now);
                return { calls, requestsPerMinute: requests, tokensPerMinute: tokens };
              }),
            ),
          );
        };
        const turn = (id: string, demand: number, tokens: number, ends: number) => {
          const caller = find(id);
          caller.end(ends);
          const next = rebalance(holders, id, {
            ceiling: limits,
            demand,
            width: 0,
            used: caller.used(now),
            now,
            silence: silenceAt(holders, now),
          });
          holders = next.holders;
          caller.begin(now, { demand, tokens, mine: next.mine });
          check();
        };
        const pass = (ms: number) => {
          now += ms;
          for (const [id, caller] of living) {
            // What passed out of its minute is free at once; everyone speaks often enough to be alive.
            caller.begin(now);
            if (now - (holders[id]?.at ?? now) > leaseMs / 2) turn(id, holders[id]?.demand ?? 0, 1, 0);
          }
          check();
        };
        const goAway = (id: string, how: string) => {
          const caller = find(id);
          caller.end(Infinity);
          if (how === "away") holders = afterLeaving(holders, id, { ceiling: limits, used: caller.used(now), now });
          living.delete(id);
        };
        for (const [at, { who, demand, tokens, ends, passes, goes }] of steps.entries()) {
          pass(passes);
          // One that comes in the place of another has a name of its own.
          const id = [...living.keys()].find((name) => name.startsWith(`p${who}-`)) ?? `p${who}-${at}`;
          turn(id, demand, tokens, ends);
          if (goes !== "on") goAway(id, goes);
        }
        turn("last", 100, 10, 0);
        for (let ms = 0; ms < 2 * (leaseMs + 60_000); ms += 3000) pass(3000);
        for (let round = 0; round < 3; round += 1) for (const id of living.keys()) turn(id, 100, 10, 64);
        expect(sums(Object.values(holders).map(({ held }) => held))).toEqual(limits);
        expect(Object.keys(holders).toSorted()).toEqual([...living.keys()].toSorted());
      }),
    );
  });
});

type Caller = ReturnType<typeof newCaller>;

/** Makes as many calls as it may, as soon as it may; each uses half of the tokens that were reckoned with. */
function newCaller() {
  const minute = minuteWindow();
  const open: { readonly call: ReturnType<typeof minute.add>; readonly tokens: number }[] = [];
  let wish = { demand: 0, tokens: 1, mine: { calls: 0, requestsPerMinute: 0, tokensPerMinute: 0 } as Amounts };
  return {
    used: (now: number) => ({ calls: open.length, ...minute.used(now) }),
    begin: (now: number, next = wish) => {
      wish = next;
      const { demand, tokens, mine } = wish;
      const [requestsPerMinute, tokensPerMinute] = [mine.requestsPerMinute ?? 0, mine.tokensPerMinute ?? 0];
      const fits = () =>
        requestsPerMinute > 0 &&
        tokens <= tokensPerMinute &&
        minute.wait(now, tokens, { requestsPerMinute, tokensPerMinute }) === 0;
      while (open.length < Math.min(demand, mine.calls) && fits()) open.push({ call: minute.add(now, tokens), tokens });
    },
    end: (calls: number) => {
      for (const { call, tokens } of open.splice(0, calls)) minute.correct(call, Math.floor(tokens / 2));
    },
  };
}

describe("a lease", () => {
  it("lets through no more than it says, though an uneven division changes hands while it looks", async () => {
    let holders = look({}, "other", 10).holders;
    holders = { ...holders, other: { ...holders["other"]!, held: { ...ceiling, calls: 1 } } };
    let width = 0;
    const limiter = {
      inFlight: 1,
      waiting: 9,
      used: { ...idle, calls: 1 },
      retune: (to: { width: number }) => (width = to.width),
    };
    const records: Pick<Records, "get" | "put"> = {
      get: async (key) => (key.startsWith("ceiling/") ? { key, value: holders, version: "1" } : null),
      put: async (_, value) => {
        holders = value as Holders;
        expect(width).toBeLessThanOrEqual(holders["me"]!.held.calls);
        return true;
      },
    };
    let said = 0;
    const clock = vi.spyOn(Date, "now").mockImplementation(() => (said += 10_000));
    const problems: unknown[] = [];
    const lease = new Lease({
      records: records as Records,
      me: "me",
      provider: "p",
      limiter: limiter as unknown as Limiter,
      ceiling: () => ({ calls: 3, requestsPerMinute: null, tokensPerMinute: null }),
      onError: (error) => problems.push(error),
    });
    const widths = new Set<number>();
    for (let i = 0; i < 40; i += 1) widths.add(await lease.look().then(() => width));
    clock.mockRestore();
    expect(problems).toEqual([]);
    expect([...widths].toSorted()).toEqual([1, 2]);
  });
});

describe("silence", () => {
  const holders = (at: number): Holders => look({}, "other", 1, idle, at).holders;

  it("counts from the last change that was seen, whatever the clocks say", () => {
    const silence = new Silence();
    for (let now = 0; now <= 9000; now += 1000) silence.look(holders(500_000), now);
    expect(silence.of("other", 9000)).toBe(9000);
    silence.look(holders(400_000), 10_000);
    expect(silence.of("other", 10_000)).toBe(0);
  });

  it("starts anew after a stop of its own: a machine that stood still makes everyone look dead", () => {
    const silence = new Silence();
    silence.look(holders(1), 0);
    silence.look(holders(1), 1000);
    silence.look(holders(1), 30_000);
    expect(silence.of("other", 30_000)).toBe(0);
    expect(silence.of("nobody", 30_000)).toBe(0);
  });
});
