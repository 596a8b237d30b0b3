import type { LedgerLine } from "./ledger-line.ts";
import type { FingerprintRow } from "./store.ts";

/** Counts a run's answers, re-read ones too, by the fingerprint that they came under. */
export function fingerprintTally() {
  const rows = new Map<string, { -readonly [name in keyof FingerprintRow]: FingerprintRow[name] }>();
  return {
    add: ({ stage, role, model, fingerprint, outcome, booked }: LedgerLine): void => {
      // A lost answer was counted as one when it was paid.
      const by = outcome === "paid" || outcome === "reread" ? 1 : outcome === "wasted" && booked ? -1 : 0;
      if (by === 0 || fingerprint === undefined || fingerprint === null) return;
      const name = [stage, role, model, fingerprint].join("\0");
      const row = rows.get(name) ?? { stage, role, model, fingerprint, answers: 0 };
      rows.set(name, row);
      row.answers += by;
    },
    rows: (): readonly FingerprintRow[] =>
      [...rows]
        .toSorted(([a], [b]) => (a < b ? -1 : 1))
        .filter(([, { answers }]) => answers > 0)
        .map(([, row]) => ({ ...row })),
  };
}
