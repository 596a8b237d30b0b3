import { afterAll, beforeAll, expect, test } from "vitest";
import { join } from "node:path";
import { sqliteRecords } from "../../platform/records/sqlite.ts";
import { attuneIn, isAlive, readable, until } from "../support/attune.ts";
import { nightOf } from "../support/nights.ts";

/**
 * A night after somebody put the wrong expert into an experiment's place. Four training steps give experts that hardly differ, so these two have
 * more; everything that the night does not look at is small.
 */
const name = "regression";
const settings = {
  name,
  "align.max_steps": 16,
  "align.save_steps": 16,
  "converse.conversations": 16,
  "evaluate.arms": '["baseline","adapter"]',
  "evaluate.conversations": 8,
};
const stack = attuneIn(name);
let endDev: () => Promise<void>;

beforeAll(async () => {
  endDev = await stack.startDev();
});

afterAll(async () => {
  const pids = Object.values(readable(() => stack.devFile().children) ?? {}).map(({ pid }) => pid);
  await endDev();
  await until(() => pids.every((pid) => !isAlive(pid)), 60_000, "the end of the dev stack's processes");
  stack.remove();
});

test("a night with one expert swapped for another's returns regressed, for that context alone", async () => {
  const set = Object.entries(settings).flatMap(([key, value]) => ["--set", `${key}=${value}`]);
  const run = await stack.attune("run", "configs/experiments/smoke.yaml", ...set, "--json");
  expect(run.exitCode, `${run.stdout}\n${run.stderr}`).toBe(0);
  await swap("distress", "writing");
  const night = await nightOf(stack, name);
  expect(night.verdict, JSON.stringify(night)).toBe("regressed");
  expect(night.regressed.join()).toContain("distress");
  expect(night.regressed.join()).not.toContain("writing");
});

/** Publishes the expert of `other` as that of `context`. */
async function swap(context: string, other: string): Promise<void> {
  const records = sqliteRecords(join(stack.home, "records.db"));
  try {
    const stored = await records.get(`published/${name}`);
    const published = structuredClone(stored?.value) as { adapters: Record<string, Record<string, unknown>> };
    for (const byContext of Object.values(published.adapters)) byContext[context] = byContext[other];
    expect(await records.put(`published/${name}`, published, stored?.version ?? null)).toBe(true);
  } finally {
    records.close();
  }
}
