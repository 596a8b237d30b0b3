import { addPii, countPii, type PiiCounts, piiKinds } from "../../domain/pii.ts";

/** PII-like texts in the rows that went by: what is counted when a data set is sealed, and masked or blocked when it is exported. */
export function piiCounter() {
  let counts: PiiCounts = {};
  return {
    /** The same rows; they are counted as they are taken. */
    passing: async function* <Row>(rows: AsyncIterable<Row>): AsyncGenerator<Row> {
      for await (const row of rows) {
        counts = addPii(counts, countPii(row));
        yield row;
      }
    },
    counts: () => counts,
  };
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
