import { join } from "node:path";
import { expect, test } from "vitest";
import { sqliteCalls } from "../../../platform/calls/sqlite.ts";
import { attuneIn } from "../../support/attune.ts";
import { lines } from "./bench.ts";

interface Amount {
  readonly calls: number;
  readonly inputTokens: number;
  readonly outputTokens: number;
  readonly usd: number;
}
type Planned = { readonly stage: string } & Readonly<Record<"low" | "mid" | "high", Amount>>;

/** The shipped configuration for a paid API, small, with the offline teacher behind the API's name: what it answers has a price. */
const experiment = [
  "configs/experiments/api.yaml",
  ...[
    "name=planned",
    "contexts=[distress,writing]",
    "providers.api={baseUrlEnv: ATTUNE_REHEARSAL_URL}",
    ...["teacher", "simulatedUser", "judge"].map((role) => `models.${role}.model=rehearsal`),
    "converse={conversations: 6, turns: 5}",
    "steer={guidance: judge, judgeRuns: 2, minPairs: 1}",
  ].flatMap((set) => ["--set", set]),
];

test("attune plan is within a fifth of what attune run then used: calls, tokens and money of converse and of steer", async () => {
  const stack = attuneIn("planned");
  const end = await stack.startDev();
  try {
    const planned = await stack.attune("plan", ...experiment, "--json");
    const [plan] = lines(planned.stdout) as unknown as {
      digest: string;
      stages: Planned[];
      assumptions: Record<string, object>;
    }[];
    expect(plan!.assumptions).toMatchObject({ low: { refused: 0 }, mid: { reply: expect.any(Number) }, high: { refused: 0.1 } });
    const ran = await stack.attune("run", ...experiment, "--until", "steer", "--json");
    expect(ran.exitCode, ran.stderr).toBe(0);

    const calls = sqliteCalls(join(stack.home, "calls.db"));
    const booked = await calls.usage(plan!.digest);
    await calls.close();
    expect(new Set(booked.map(({ stage }) => stage))).toEqual(new Set(["converse", "steer"]));
    for (const { stage, low, mid, high } of plan!.stages.slice(0, 2)) {
      for (const name of ["calls", "inputTokens", "outputTokens", "usd"] as const) {
        const used = booked.filter((row) => row.stage === stage).reduce((sum, row) => sum + (row[name] ?? Number.NaN), 0);
        const what = `${stage} ${name}: planned ${low[name]} · ${mid[name]} · ${high[name]}, used ${used}`;
        expect.soft(Math.abs(mid[name] / used - 1), what).toBeLessThanOrEqual(0.2);
        expect.soft(low[name], what).toBeLessThanOrEqual(used);
        expect.soft(high[name], what).toBeGreaterThanOrEqual(used);
      }
    }
  } finally {
    await end();
    stack.remove();
  }
});
