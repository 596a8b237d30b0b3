import { setImmediate } from "node:timers/promises";
import { addPii, countPii, type PiiCounts, piiKinds } from "../../domain/pii.ts";

/** Rows looked at in one go: a worker that holds its event loop for long is taken for dead. */
const atOnce = 200;

/** PII-like texts in all rows: what is counted when a data set is sealed, and masked or blocked when it is exported. */
export async function piiOf(rows: readonly unknown[]): Promise<PiiCounts> {
  let counts: PiiCounts = {};
  for (const [index, row] of rows.entries()) {
    if (index % atOnce === atOnce - 1) await setImmediate();
    counts = addPii(counts, countPii(row));
  }
  return counts;
}

const prefix = "pii-";

/** As facts of a stage record. */
export function piiFacts(counts: PiiCounts): Record<string, number> {
  return Object.fromEntries(Object.entries(counts).map(([kind, n]) => [`${prefix}${kind}`, n]));
}

/** Back from a stage record. */
export function piiInFacts(facts: Readonly<Record<string, unknown>>): PiiCounts {
  return Object.fromEntries(
    piiKinds.flatMap((kind) => {
      const n = facts[`${prefix}${kind}`];
      return typeof n === "number" ? [[kind, n]] : [];
    }),
  );
}
