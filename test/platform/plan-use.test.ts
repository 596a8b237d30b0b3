import { spawn } from "node:child_process";
import { expect, onTestFinished, test } from "vitest";
import { makeConverseActivities } from "../../activities/converse/converse.ts";
import { makeEvaluateUnit } from "../../activities/evaluate/evaluate.ts";
import { makeMeasureActivities } from "../../activities/measure/measure.ts";
import { makeSteerUnit } from "../../activities/steer/steer.ts";
import { frugal, lavish } from "../../cli/config/assumptions.ts";
import { estimateCalls } from "../../cli/config/call-estimate.ts";
import type { Ref } from "../../contract/ref.ts";
import type { Arm } from "../../contract/stages.ts";
import type { UnitInput, UnitOutcome } from "../../contract/units.ts";
import type { Asked } from "../support/chat-server.ts";
import { attempt, play, run, stageBench, unitInput } from "../support/stage-bench.ts";

/** The offline teacher as a process of its own, as the dev stack starts it. */
async function rehearsal(): Promise<string> {
  const child = spawn(process.execPath, ["rehearsal/main.ts"], { stdio: ["ignore", "pipe", "inherit"] });
  onTestFinished(() => void child.kill());
  const line = await new Promise<string>((resolve) => child.stdout.once("data", (data: Buffer) => resolve(data.toString())));
  return (JSON.parse(line) as { url: string }).url;
}

/** As long as SmolLM2 answers, cut at its 40 tokens more often than not; another for every request, as arms answer differently. */
const studentAnswer = ({ headers }: Asked) =>
  `I understand, and ${String(headers["x-attune-key"]).slice(0, 6)} is hard. You could start by writing down what happened and what you would like to say, and then talk`;

const adapter = (context: string): Ref => ({
  uri: `adapters/tiny/${context}/0123abcd/index.json`,
  sha256: "a".repeat(64),
  bytes: 1,
  rows: null,
});

interface Shape {
  readonly seed: number;
  readonly contexts: readonly string[];
  readonly converse: { readonly conversations: number; readonly turns: number; readonly plainShare?: number };
  readonly judgeRuns: number;
  readonly evaluate: {
    readonly conversations: number;
    readonly turns: number;
    readonly arms: readonly Arm[];
    readonly judgeRuns: number;
  };
}

const shapes: readonly Shape[] = [
  {
    seed: 11,
    contexts: ["distress", "learning", "career", "writing"],
    converse: { conversations: 5, turns: 4 },
    judgeRuns: 1,
    evaluate: { conversations: 3, turns: 4, arms: ["baseline", "system_prompt", "adapter", "wrong_adapter"], judgeRuns: 1 },
  },
  {
    seed: 5,
    contexts: ["career", "writing"],
    converse: { conversations: 12, turns: 1, plainShare: 0 },
    judgeRuns: 3,
    evaluate: { conversations: 8, turns: 1, arms: ["baseline"], judgeRuns: 3 },
  },
  {
    seed: 23,
    contexts: ["distress", "learning"],
    converse: { conversations: 5, turns: 8, plainShare: 0.5 },
    judgeRuns: 2,
    evaluate: { conversations: 4, turns: 6, arms: ["baseline", "adapter"], judgeRuns: 2 },
  },
];

/** Writes, steers and evaluates every conversation of the shape with prices on the teacher; answers what was planned and what was booked. */
async function rehearsed({ seed, contexts, converse, judgeRuns, evaluate }: Shape) {
  const model = { provider: "priced", model: "rehearsal", price: { input: 0.4, output: 1.6 } };
  const { deps, config, server } = await stageBench({
    script: play({ student: studentAnswer }),
    settings: {
      seed,
      contexts,
      providers: { priced: { baseUrl: await rehearsal() } },
      models: { teacher: model, simulatedUser: model, judge: { ...model, temperature: 0 } },
      converse,
      steer: { guidance: "judge", judgeRuns },
      evaluate: { split: "test", ...evaluate },
    },
  });
  const resolved = { ...config, contexts: config.contexts.filter(({ id }) => contexts.includes(id)) };
  await makeMeasureActivities(deps).measure({ run });
  const models = ["tiny", ...contexts.map((context) => `${context}-0123abcd`)];
  const weights = Object.fromEntries(models.map((name) => [name, "b".repeat(64)]));
  await deps.records.put("serving/job", { endpoint: server.baseUrl, generation: 1, models, weights, engine: "engine-1" }, null);
  await deps.records.putFirst("canary/job/1", {});
  const all = (work: (input: UnitInput) => Promise<UnitOutcome>, units: number, input: (unit: number) => UnitInput) =>
    Promise.all(Array.from({ length: units }, (_, unit) => attempt(work, input(unit))));

  const { converse: write, sealConversations } = makeConverseActivities(deps);
  const { steer } = makeSteerUnit(deps);
  const { evaluate: rollOut } = makeEvaluateUnit(deps);
  const adapters = Object.fromEntries(contexts.map((context) => [context, adapter(context)]));
  for (const context of contexts) {
    await all(write, converse.conversations, (unit) => unitInput({ stage: "converse", context }, unit));
    const conversations = (await sealConversations({ run, context })).outputs["conversations"] as Ref;
    await all(steer, conversations.rows ?? 0, (unit) =>
      unitInput({ stage: "steer", context }, unit, { inputs: { conversations } }),
    );
    for (const arm of evaluate.arms) {
      const group = { stage: "evaluate", context, backbone: "tiny", arm, split: "test" } as const;
      await all(rollOut, evaluate.conversations, (unit) => unitInput(group, unit, { serving: "job", inputs: adapters }));
    }
  }
  const plans = {
    low: estimateCalls(resolved, frugal(resolved.experiment)),
    mid: estimateCalls(resolved),
    high: estimateCalls(resolved, lavish(resolved.experiment)),
  };
  const rows = (await deps.callStore.usage(run.digest)).filter(({ role }) => role !== "student");
  const booked = (stage: string) => {
    const of = rows.filter((row) => row.stage === stage);
    const sum = (name: "calls" | "inputTokens" | "outputTokens" | "usd") =>
      of.reduce((all, row) => all + (row[name] ?? Number.NaN), 0);
    return { calls: sum("calls"), inputTokens: sum("inputTokens"), outputTokens: sum("outputTokens"), usd: sum("usd") };
  };
  return plans.mid.map((mid, i) => ({
    stage: mid.stage,
    low: plans.low[i]!,
    mid,
    high: plans.high[i]!,
    used: booked(mid.stage),
  }));
}

test.each(shapes)(
  "a plan is within a fifth of what a run of $converse.conversations × $converse.turns conversations then used, stage by stage",
  async (shape) => {
    for (const { stage, low, mid, high, used } of await rehearsed(shape)) {
      for (const name of ["calls", "inputTokens", "outputTokens", "usd"] as const) {
        const what = `${stage} ${name}: planned ${low[name]} · ${mid[name]} · ${high[name]}, used ${used[name]}`;
        expect.soft(Math.abs((mid[name] ?? Number.NaN) / used[name] - 1), what).toBeLessThanOrEqual(0.2);
        expect.soft(low[name], what).toBeLessThanOrEqual(used[name]);
        expect.soft(high[name], what).toBeGreaterThanOrEqual(used[name]);
      }
    }
  },
);
