import type { Allowance, Spend } from "../contract/units.ts";

/** Arithmetic on budgets. A dimension that is null is not counted: it never stands in the way. */
export const nothing: Allowance = { calls: 0, usd: 0 };

/** Below this a sum in dollars is what rounding left (a billionth of a dollar; prices are per million tokens): drawn and granted, it would go round for ever. */
const dust = 1e-9;

export function plus(a: Allowance, b: Allowance): Allowance {
  const sum = (x: number | null, y: number | null) => (x === null || y === null ? null : x + y);
  return { calls: sum(a.calls, b.calls), usd: sum(a.usd, b.usd) };
}

/** Never below zero, and never dust. */
export function minus(a: Allowance, b: Allowance): Allowance {
  const rest = (x: number | null, y: number | null) => {
    if (x === null) return null;
    const left = x - (y ?? 0);
    return left < dust ? 0 : left;
  };
  return { calls: rest(a.calls, b.calls), usd: rest(a.usd, b.usd) };
}

export function times(a: Allowance, n: number): Allowance {
  return { calls: a.calls === null ? null : a.calls * n, usd: a.usd === null ? null : a.usd * n };
}

/** The smaller of the two, dimension by dimension. */
export function atMost(a: Allowance, cap: Allowance): Allowance {
  const least = (x: number | null, y: number | null) => (x === null || y === null ? x : Math.min(x, y));
  return { calls: least(a.calls, cap.calls), usd: least(a.usd, cap.usd) };
}

/** The smaller of two limits, dimension by dimension; one that is null does not count. */
export function tighter(a: Allowance, b: Allowance): Allowance {
  const least = (x: number | null, y: number | null) => (x === null ? y : y === null ? x : Math.min(x, y));
  return { calls: least(a.calls, b.calls), usd: least(a.usd, b.usd) };
}

/** True when `a` is enough for `need`. */
export function covers(a: Allowance, need: Allowance): boolean {
  const enough = (x: number | null, y: number | null) => x === null || y === null || x >= y - dust;
  return enough(a.calls, need.calls) && enough(a.usd, need.usd);
}

/** What was spent, as something to take out of a budget; an unknown price is not counted here: `run` refuses it beforehand unless told. */
export function spent({ calls, usd }: Spend): Allowance {
  return { calls, usd };
}
