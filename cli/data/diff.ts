import { createHash } from "node:crypto";
import { canonicalJson } from "../../domain/canonical-json.ts";
import { type Difference, differences } from "../config/identity.ts";
import { type DatasetKind, type Row, rowName } from "./rows.ts";

/** How two datasets of the same kind differ: numbers of all rows, and the first few of each sort. */
export interface DatasetDiff {
  readonly same: number;
  readonly different: number;
  readonly onlyA: number;
  readonly onlyB: number;
  readonly first: {
    readonly different: readonly { readonly row: string; readonly differences: readonly Difference[] }[];
    readonly onlyA: readonly string[];
    readonly onlyB: readonly string[];
  };
}

interface Compared {
  readonly kind: DatasetKind;
  /** Reads the rows anew each time; never all in memory. */
  readonly a: () => AsyncIterable<Row>;
  readonly b: () => AsyncIterable<Row>;
  /** How many of each sort are shown. */
  readonly most: number;
}

/** Compares rows by name. Holds a short digest for each row of A, and the rows that are shown. */
export async function diffDatasets({ kind, a, b, most }: Compared): Promise<DatasetDiff> {
  const left = new Map<string, string>();
  for await (const row of a()) left.set(rowName(kind, row), digestOf(row));
  let [same, different, onlyB] = [0, 0, 0];
  const changed = new Map<string, Row>();
  const firstOnlyB: string[] = [];
  for await (const row of b()) {
    const name = rowName(kind, row);
    const before = left.get(name);
    left.delete(name);
    if (before === undefined) {
      onlyB += 1;
      if (firstOnlyB.length < most) firstOnlyB.push(name);
    } else if (before === digestOf(row)) {
      same += 1;
    } else {
      different += 1;
      if (changed.size < most) changed.set(name, row);
    }
  }
  return {
    same,
    different,
    onlyA: left.size,
    onlyB,
    first: { different: await explain(kind, a(), changed), onlyA: [...left.keys()].slice(0, most), onlyB: firstOnlyB },
  };
}

async function explain(kind: DatasetKind, a: AsyncIterable<Row>, changed: Map<string, Row>) {
  const explained: { row: string; differences: readonly Difference[] }[] = [];
  if (changed.size === 0) return explained;
  for await (const before of a) {
    const row = rowName(kind, before);
    const after = changed.get(row);
    if (after === undefined) continue;
    explained.push({ row, differences: differences(byIndex(before), byIndex(after)) });
    if (explained.length === changed.size) break;
  }
  return explained;
}

/** Lists as records, so that a turn that differs is named: `turns.3.text`. */
function byIndex(value: unknown): unknown {
  if (typeof value !== "object" || value === null) return value;
  return Object.fromEntries(Object.entries(value).map(([key, member]) => [key, byIndex(member)]));
}

const digestOf = (row: Row) => createHash("sha256").update(canonicalJson(row)).digest("base64").slice(0, 22);
