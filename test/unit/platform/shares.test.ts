import fc from "fast-check";
import { describe, expect, it, vi } from "vitest";
import type { Limiter } from "../../../platform/llm/limiter.ts";
import { fairShares } from "../../../platform/llm/shares/fair.ts";
import { afterLeaving, type Amounts, type Holders, leaseMs, rebalance, usageNow } from "../../../platform/llm/shares/holders.ts";
import { Lease } from "../../../platform/llm/shares/lease.ts";
import { Silence } from "../../../platform/llm/shares/silence.ts";
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

  it("never lets the parts exceed the limits, whoever looks when, and leaves nothing lying about in the end", () => {
    const step = fc.record({ who: fc.nat(3), demand: fc.nat(100), ends: fc.nat(64), passes: fc.nat(3000) });
    fc.assert(
      fc.property(fc.array(step, { minLength: 1, maxLength: 60 }), (steps) => {
        let holders: Holders = {};
        let now = 0;
        const inFlight = new Map<string, number>();
        const sum = () => Object.values(holders).reduce((total, { held }) => total + held.calls, 0);
        const turn = (who: string, demand: number, ends: number) => {
          const used = Math.max(0, (inFlight.get(who) ?? 0) - ends);
          const next = rebalance(holders, who, {
            ceiling,
            demand,
            width: 0,
            used: { calls: used, requests: 0, tokens: 0 },
            now,
            silence: silenceAt(holders, now),
          });
          holders = next.holders;
          // As many calls as it may, as soon as it may.
          inFlight.set(who, Math.max(used, Math.min(demand, next.mine.calls)));
          expect(sum()).toBeLessThanOrEqual(ceiling.calls);
          expect([...inFlight.values()].reduce((a, b) => a + b, 0)).toBeLessThanOrEqual(ceiling.calls);
        };
        for (const { who, demand, ends, passes } of steps) {
          // Everyone speaks often enough to be alive.
          now += passes;
          for (const id of Object.keys(holders))
            if (now - (holders[id]?.at ?? 0) > leaseMs / 2) turn(id, holders[id]?.demand ?? 0, 0);
          turn(`p${who}`, demand, ends);
        }
        const ids = Object.keys(holders);
        for (let round = 0; round < 3; round += 1) for (const id of ids) turn(id, 100, 64);
        expect(sum()).toBe(ceiling.calls);
      }),
    );
  });
});

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
