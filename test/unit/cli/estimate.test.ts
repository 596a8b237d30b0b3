import { join } from "node:path";
import { expect, test } from "vitest";
import { estimateCalls } from "../../../cli/config/call-estimate.ts";
import { loadExperiment } from "../../../cli/config/experiment.ts";
import { readReferences } from "../../../cli/config/references.ts";
import { projectRoot } from "../../../cli/project.ts";

async function estimated(name: string, ...sets: string[]) {
  const file = join(projectRoot, "configs/experiments", name);
  const experiment = await loadExperiment(file, { env: {}, sets });
  const { prompts, rubric } = await readReferences(experiment, { file, root: projectRoot });
  return estimateCalls({ experiment, prompts: { ...prompts }, rubric });
}

test("calls are exact: 1 + 2·turns, 2·turns·(1 + judges), turns·(1 + judges) and a student's", async () => {
  const [converse, steer, evaluate] = await estimated("quickstart.yaml");
  expect(converse).toMatchObject({ stage: "converse", calls: 4 * 24 * (1 + 2 * 4), studentCalls: 0 });
  expect(steer).toMatchObject({ stage: "steer", calls: 4 * 24 * 2 * 4 * 2 });
  expect(evaluate).toMatchObject({ stage: "evaluate", calls: 4 * 4 * 12 * 4 * 2, studentCalls: 4 * 4 * 12 * 4 });
});

test("more judges, more judgements", async () => {
  const [, steer, evaluate] = await estimated("quickstart.yaml", "steer.judgeRuns=3", "evaluate.judgeRuns=2");
  expect(steer?.calls).toBe(4 * 24 * 2 * 4 * (1 + 3));
  expect(evaluate?.calls).toBe(4 * 4 * 12 * 4 * (1 + 2));
});

test("the rehearsal is free, a price makes money, an absent price is unknown and never 0", async () => {
  expect((await estimated("quickstart.yaml")).map(({ usd }) => usd)).toEqual([0, 0, 0]);
  for (const { usd, inputTokens, outputTokens } of await estimated("api.yaml"))
    expect(usd).toBeCloseTo((inputTokens * 0.4 + outputTokens * 1.6) / 1e6, 4);
  expect((await estimated("api.yaml", "models.judge={provider: api, model: x}")).map(({ usd }) => usd === null)).toEqual([
    false,
    true,
    true,
  ]);
});

test("a longer talk carries its history", async () => {
  const [four] = await estimated("quickstart.yaml", "converse.turns=4");
  const [eight] = await estimated("quickstart.yaml", "converse.turns=8");
  expect(eight!.inputTokens / eight!.calls).toBeGreaterThan(four!.inputTokens / four!.calls);
});
