import { noSpend, sumSpend } from "../../domain/spend.ts";
import { fingerprintTally } from "./fingerprints.ts";
import type { Spend } from "../../contract/units.ts";
import type { LedgerLine } from "./ledger-line.ts";
import type { FingerprintRow, UsageRow } from "./store.ts";

type Sums = {
  -readonly [name in keyof Omit<UsageRow, "usd">]: UsageRow[name];
} & { usd: number; unpriced: number };

/** Sums of a run's ledger by stage, context, arm, role and model. Holds no lines. */
export interface Tally {
  add(line: LedgerLine): void;
  /** Answers that were paid, the wasted ones too, and answers re-read: in all and by stage. */
  readonly spend: Spend;
  readonly byStage: Readonly<Record<string, Spend>>;
  fingerprints(): readonly FingerprintRow[];
  /** Calls with attempts whose answering model no line has told; `modelOf` looks for their answers. */
  rows(modelOf: (keys: readonly string[]) => Promise<ReadonlyMap<string, string>>): Promise<readonly UsageRow[]>;
}

export function tally(): Tally {
  const all = new Map<string, Sums>();
  /** By call: attempts that are shown under the model that answers it in the end. */
  const open = new Map<string, Map<string, Sums>>();
  const printed = fingerprintTally();
  const byStage = new Map<string, Spend>();

  const settle = (key: string, model: string) => {
    for (const row of open.get(key)?.values() ?? []) merge(rowOf(all, { ...row, model }), row);
    open.delete(key);
  };

  return {
    add: (line) => {
      printed.add(line);
      const { key, answered, outcome, booked, model, usd } = line;
      const waiting = open.get(key) ?? new Map<string, Sums>();
      if (!answered) open.set(key, waiting);
      addLine(rowOf(answered ? all : waiting, line), line);
      if (outcome === "paid") settle(key, model);
      const paid = outcome === "paid" || (outcome === "wasted" && !booked);
      if (!paid && outcome !== "reread") return;
      const one = { calls: paid ? 1 : 0, reread: paid ? 0 : 1, usd: paid ? usd : 0 };
      byStage.set(line.stage, sumSpend([byStage.get(line.stage) ?? noSpend, one]));
    },
    get spend() {
      return sumSpend([...byStage.values()]);
    },
    get byStage() {
      return Object.fromEntries(byStage);
    },
    fingerprints: printed.rows,
    rows: async (modelOf) => {
      for (const [key, model] of await modelOf([...open.keys()])) settle(key, model);
      const shown = new Map([...all].map(([name, row]) => [name, { ...row }]));
      for (const rows of open.values()) for (const row of rows.values()) merge(rowOf(shown, row), row);
      return [...shown]
        .toSorted(([a], [b]) => (a < b ? -1 : 1))
        .map(([, { unpriced, usd, ...row }]) => ({ ...row, usd: unpriced > 0 ? null : usd }));
    },
  };
}

type Named = Pick<UsageRow, "stage" | "context" | "arm" | "role" | "model">;

function rowOf(rows: Map<string, Sums>, { stage, context, arm, role, model }: Named): Sums {
  const name = [stage, context, arm, role, model].join("\0");
  const found = rows.get(name);
  if (found !== undefined) return found;
  const none = {
    calls: 0,
    reread: 0,
    failed: 0,
    wasted: 0,
    inputTokens: 0,
    cachedInputTokens: 0,
    outputTokens: 0,
    usd: 0,
    unpriced: 0,
  };
  const row = { stage, context, arm, role, model, ...none };
  rows.set(name, row);
  return row;
}

function addLine(row: Sums, { outcome, booked, usage, usd }: LedgerLine): void {
  if (outcome === "paid") row.calls += 1;
  else if (outcome === "reread") row.reread += 1;
  else if (outcome === "wasted") row.wasted += 1;
  else row.failed += 1;
  if (outcome === "wasted" && booked) {
    // It was counted as a call when it was paid.
    row.calls -= 1;
    return;
  }
  row.inputTokens += usage.input;
  row.cachedInputTokens += usage.cachedInput;
  row.outputTokens += usage.output;
  row.usd += usd ?? 0;
  if (usd === null && (outcome === "paid" || outcome === "wasted")) row.unpriced += 1;
}

const counted = [
  "calls",
  "reread",
  "failed",
  "wasted",
  "inputTokens",
  "cachedInputTokens",
  "outputTokens",
  "usd",
  "unpriced",
] as const;

function merge(into: Sums, from: Sums): void {
  for (const name of counted) into[name] += from[name];
}
