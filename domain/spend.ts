interface Spent {
  readonly calls: number;
  readonly reread: number;
  /** null as soon as one call has no known price. */
  readonly usd: number | null;
}

export const noSpend: Spent = { calls: 0, reread: 0, usd: 0 };

/** A price that is unknown once stays unknown. */
export function sumSpend(all: Iterable<Spent>): Spent {
  let sum = noSpend;
  for (const { calls, reread, usd } of all) {
    sum = { calls: sum.calls + calls, reread: sum.reread + reread, usd: sum.usd === null || usd === null ? null : sum.usd + usd };
  }
  return sum;
}
