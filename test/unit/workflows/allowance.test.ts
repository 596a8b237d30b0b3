import fc from "fast-check";
import { describe, expect, test } from "vitest";
import type { Allowance, Spend } from "../../../contract/units.ts";
import { atMost, covers, minus, nothing, plus, spent, times } from "../../../workflows/allowance.ts";

// Dollars in 64ths: sums of them are exact, so that laws can be told from rounding.
const calls = fc.nat(10_000);
const usd = fc.nat(1_000_000).map((parts) => parts / 64);
const known = fc.record({ calls, usd });
const any = fc.record({ calls: fc.option(calls), usd: fc.option(usd) });

/** A law for one dimension, asked of both. */
function each(check: (of: (a: Allowance) => number | null) => void): void {
  check((a) => a.calls);
  check((a) => a.usd);
}

describe("plus", () => {
  test("is a sum: in any order, grouped anyhow, with `nothing` as its zero", () => {
    fc.assert(
      fc.property(any, any, any, (a, b, c) => {
        expect(plus(a, b)).toEqual(plus(b, a));
        expect(plus(plus(a, b), c)).toEqual(plus(a, plus(b, c)));
        expect(plus(a, nothing)).toEqual(a);
      }),
    );
  });

  test("knows no sum of what is not known or not limited", () => {
    fc.assert(
      fc.property(any, any, (a, b) => {
        each((of) => expect(of(plus(a, b)) === null).toBe(of(a) === null || of(b) === null));
      }),
    );
  });

  test("of n is `times` n", () => {
    fc.assert(
      fc.property(any, fc.nat(20), (a, n) => {
        const sum = Array.from({ length: n }, () => a).reduce(plus, times(a, 0));
        expect(times(a, n)).toEqual(sum);
      }),
    );
  });
});

describe("minus", () => {
  test("is never below zero, and what has no limit keeps none", () => {
    fc.assert(
      fc.property(any, any, (a, b) => {
        const rest = minus(a, b);
        each((of) => {
          if (of(a) === null) expect(of(rest)).toBeNull();
          else expect(of(rest)).toBeGreaterThanOrEqual(0);
        });
      }),
    );
  });

  test("takes back what was added, and nothing twice", () => {
    fc.assert(
      fc.property(any, known, known, (a, b, c) => {
        expect(minus(plus(a, b), b)).toEqual(a);
        expect(minus(minus(a, b), c)).toEqual(minus(a, plus(b, c)));
        expect(minus(a, nothing)).toEqual(a);
      }),
    );
  });
});

describe("covers", () => {
  test("says whether something is left to take: then taking and adding come out even", () => {
    fc.assert(
      fc.property(known, known, (a, need) => {
        expect(covers(plus(a, need), need)).toBe(true);
        const even = plus(minus(a, need), need);
        if (covers(a, need)) expect(even).toEqual(a);
        else expect(even).not.toEqual(a);
      }),
    );
  });

  test("is asked of limited dimensions alone", () => {
    fc.assert(
      fc.property(any, any, (a, need) => {
        const short = [(of: Allowance) => of.calls, (of: Allowance) => of.usd].some((of) => {
          const [have, wanted] = [of(a), of(need)];
          return have !== null && wanted !== null && have < wanted;
        });
        expect(covers(a, need)).toBe(!short);
      }),
    );
  });
});

test("`atMost` is covered by the cap, never more than asked, and changes nothing that fits", () => {
  fc.assert(
    fc.property(any, any, (a, cap) => {
      const share = atMost(a, cap);
      expect(covers(cap, share)).toBe(true);
      expect(covers(a, share)).toBe(true);
      expect(atMost(share, cap)).toEqual(share);
      if (covers(cap, a)) expect(share).toEqual(a);
    }),
  );
});

test("what was spent counts as it is; an unknown price stays unknown, never 0", () => {
  const spend: Spend = { calls: 3, reread: 7, usd: null };
  expect(spent(spend)).toEqual({ calls: 3, usd: null });
  expect(plus(spent(spend), nothing).usd).toBeNull();
});

describe("rounding", () => {
  const cents = fc.nat(10_000_000).map((parts) => ({ calls: 0, usd: parts / 1e6 }));

  test("leaves nothing to draw once all is given back, and what was added covers what it was added for", () => {
    fc.assert(
      fc.property(cents, cents, cents, (a, b, c) => {
        const sum = plus(plus(a, b), c);
        const left = minus(minus(sum, a), b);
        expect(covers(left, c)).toBe(true);
        expect(minus(left, c)).toEqual(nothing);
        expect(covers(nothing, minus(c, left))).toBe(true);
      }),
    );
  });
});
