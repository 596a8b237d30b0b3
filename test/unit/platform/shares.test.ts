import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { type Amounts, fairShares, type Holders, leaseMs, rebalance, usageNow } from "../../../platform/llm/shares/holders.ts";

const ceiling: Amounts = { calls: 64, requestsPerMinute: 600, tokensPerMinute: null };
const idle = { calls: 0, requests: 0, tokens: 0 };
const look = (holders: Holders, me: string, demand: number, used = idle, now = 0) =>
  rebalance(holders, me, { ceiling, demand, width: 0, used, now });

describe("fair shares", () => {
  const demands = fc.dictionary(fc.string({ minLength: 1, maxLength: 3 }), fc.nat(200), { minKeys: 1, maxKeys: 8 });

  it("add up to the total, and nobody is short while another has more than it wants", () => {
    fc.assert(
      fc.property(demands, fc.integer({ min: 1, max: 300 }), (wanted, total) => {
        const shares = fairShares(new Map(Object.entries(wanted)), total);
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
    const a = rebalance({}, "a", { ceiling, demand: 9, width: 40, used: { calls: 7, requests: 0, tokens: 0 }, now: 0 });
    const b = rebalance(a.holders, "b", { ceiling, demand: 1, width: 3, used: idle, now: leaseMs });
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
          const next = rebalance(holders, who, { ceiling, demand, width: 0, used: { calls: used, requests: 0, tokens: 0 }, now });
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
