import { setImmediate } from "node:timers/promises";
import type { Experiment } from "../../configs/schema/experiment.ts";
import { nearDuplicates } from "../../domain/near-duplicates.ts";
import type { Turn } from "../../domain/transcript.ts";

/** Conversations looked at in one go: a worker that holds its event loop for a minute is taken for dead. */
const atOnce = 200;

/** The rows in their order, less those that nearly equal an earlier one that is kept. */
export async function withoutNearDuplicates<Row extends { readonly turns: readonly Turn[] }>(
  rows: readonly Row[],
  { similarity }: Experiment["converse"]["nearDuplicates"],
): Promise<readonly Row[]> {
  if (similarity === null) return rows;
  const text = (index: number) => rows[index]?.turns.map((turn) => turn.text).join("\n") ?? "";
  const look = nearDuplicates(text, { count: rows.length, similarity });
  const kept: Row[] = [];
  for (const [index, row] of rows.entries()) {
    if (index % atOnce === atOnce - 1) await setImmediate();
    if (look(index) === null) kept.push(row);
  }
  return kept;
}
