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

/** What a run of quickstart.yaml recorded by stage and role, less persona calls asked again because a person was implausible. */
const recorded = { converse: 4 * 24 + 384 + 384, steer: 768 + 768, evaluate: 48 + 624 + 768 };

test("calls are those that a run makes: people and their first words once, not once an arm", async () => {
  const [converse, steer, evaluate] = await estimated("quickstart.yaml");
  expect(converse).toMatchObject({ stage: "converse", calls: 4 * 24 * (1 + 2 * 4), studentCalls: 0 });
  expect(steer).toMatchObject({ stage: "steer", calls: 4 * 24 * 2 * 4 * 2 });
  const people = 4 * 12;
  const user = people * (1 + 4 * (4 - 1));
  expect(evaluate).toMatchObject({ stage: "evaluate", calls: people + user + 4 * 4 * 12 * 4, studentCalls: 4 * 4 * 12 * 4 });
  expect({ converse: converse?.calls, steer: steer?.calls, evaluate: evaluate?.calls }).toEqual(recorded);
});

test("more judges, more judgements", async () => {
  const [, steer, evaluate] = await estimated("quickstart.yaml", "steer.judgeRuns=3", "evaluate.judgeRuns=2");
  expect(steer?.calls).toBe(4 * 24 * 2 * 4 * (1 + 3));
  expect(evaluate?.calls).toBe(48 + 48 * (1 + 4 * 3) + 4 * 4 * 12 * 4 * 2);
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
