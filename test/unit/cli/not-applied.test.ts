import { expect, test } from "vitest";
import { sayNotApplied } from "../../../cli/view/not-applied.ts";
import type { Output } from "../../../cli/output.ts";
import type { KnownRun } from "../../../cli/server/runs.ts";
import type { Stage } from "../../../contract/stages.ts";

const budget = { calls: 10, usd: null };
function said({ goal, until, calls = 10 }: { goal?: Stage; until?: Stage; calls?: number }): string[] {
  const lines: string[] = [];
  const open = {
    run: { name: "mine" },
    workflowId: "exp/mine/0123",
    plan: { budget, window: 48 },
    ...(goal === undefined ? {} : { until: goal }),
  } as unknown as KnownRun;
  const plan = { budget: { ...budget, calls }, window: 48 } as KnownRun["plan"];
  sayNotApplied({ open, plan, until }, { say: (line: string) => lines.push(line) } as unknown as Output);
  return lines;
}

test("a goal before the open run's is refused: following it would spend what it was to save", () => {
  expect(() => said({ until: "steer" })).toThrow(/open with the whole run as its goal.*cancel mine/s);
  expect(() => said({ goal: "align", until: "steer" })).toThrow(/--until align/);
  expect(said({ goal: "steer", until: "steer" })).toEqual([]);
});

test("what the open run does not follow is said", () => {
  expect(said({})).toEqual([]);
  expect(said({ goal: "steer" }).join()).toMatch(/stops after steer/);
  expect(said({ calls: 20 }).join()).toMatch(/not applied to the open run: npx attune budget raise mine/);
});
