import { join } from "node:path";
import { expect, test } from "vitest";
import { type Assumptions, frugal, lavish, typical } from "../../../cli/config/assumptions.ts";
import { estimateCalls } from "../../../cli/config/call-estimate.ts";
import { loadExperiment } from "../../../cli/config/experiment.ts";
import { readReferences } from "../../../cli/config/references.ts";
import { projectRoot } from "../../../cli/project.ts";

/** Without canaries: six judgements more in every run. */
async function loaded(name: string, sets: readonly string[] = []) {
  const file = join(projectRoot, "configs/experiments", name);
  const experiment = await loadExperiment(file, { env: {}, sets });
  const { contexts, prompts, rubric } = await readReferences(experiment, { file, root: projectRoot });
  return { experiment, contexts: [...contexts], prompts: { ...prompts }, rubric };
}

const estimated = async (name: string, sets: readonly string[] = [], assumed: Assumptions = typical) =>
  estimateCalls(await loaded(name, sets), assumed);

/** All that is asked is asked once. */
const once = { ...typical, implausible: 0 };

/** What runs of the shipped files recorded: SmolLM2 trained, served and asked for real. */
const recorded = {
  "api.yaml": {
    converse: { calls: 873, inputTokens: 234_315, outputTokens: 24_427, usd: 0.1328 },
    steer: { calls: 1536, inputTokens: 558_488, outputTokens: 88_999, usd: 0.3658 },
    evaluate: { calls: 1448, inputTokens: 564_777, outputTokens: 81_548, usd: 0.3564 },
  },
  "recipe.yaml": {
    converse: { calls: 873, inputTokens: 234_315, outputTokens: 24_427, usd: 0 },
    steer: { calls: 1536, inputTokens: 558_488, outputTokens: 88_999, usd: 0 },
    evaluate: { calls: 1549, inputTokens: 583_698, outputTokens: 85_487, usd: 0 },
  },
} as const;

test.each(Object.entries(recorded))("what a run of %s recorded lies within a tenth of the estimate", async (name, stages) => {
  for (const { stage, ...estimate } of await estimated(name)) {
    for (const [what, used] of Object.entries(stages[stage])) {
      const off = Math.abs((estimate[what as keyof typeof estimate] ?? Number.NaN) - used);
      expect.soft(off, `${stage} ${what}`).toBeLessThanOrEqual(0.1 * used);
    }
  }
});

test("calls are those that a run makes: people and their first words once, not once an arm", async () => {
  const [converse, steer, evaluate] = await estimated("quickstart.yaml", [], once);
  expect(converse).toMatchObject({ stage: "converse", calls: 4 * 24 * (1 + 2 * 4), studentCalls: 0 });
  expect(steer).toMatchObject({ stage: "steer", calls: 4 * 24 * 2 * 4 * 2 });
  const people = 4 * 12;
  const arms = 4;
  const user = people * (1 + arms * (4 - 1));
  expect(evaluate).toMatchObject({
    stage: "evaluate",
    calls: people + user + arms * people * 4,
    studentCalls: arms * people * 4,
  });
});

test("implausible people are drawn again, refused answers asked again, dropped conversations not steered", async () => {
  const [converse] = await estimated("quickstart.yaml", [], { ...once, implausible: 0.25 });
  expect(converse?.calls).toBe(4 * 24 * (4 / 3 + 2 * 4));
  const [, again] = await estimated("quickstart.yaml", [], { ...once, refused: 0.2 });
  expect(again?.calls).toBe((4 * 24 * 2 * 4 * 2) / 0.8);
  const [written, half] = await estimated("quickstart.yaml", [], { ...once, kept: 0.5 });
  expect([written?.calls, half?.calls]).toEqual([(4 * 24 * (1 + 2 * 4)) / 2, (4 * 24 * 2 * 4 * 2) / 4]);
});

test("more judges, more judgements", async () => {
  const [, steer, evaluate] = await estimated("quickstart.yaml", ["steer.judgeRuns=3", "evaluate.judgeRuns=2"], once);
  expect(steer?.calls).toBe(4 * 24 * 2 * 4 * (1 + 3));
  expect(evaluate?.calls).toBe(48 + 48 * (1 + 4 * 3) + 4 * 4 * 12 * 4 * 2);
});

test("cached input costs its own price, and where none is given the full one", async () => {
  const cached = { ...typical, cached: 1 };
  const [converse] = await estimated("api.yaml", [], cached);
  expect(converse?.usd).toBeCloseTo((converse!.inputTokens * 0.1 + converse!.outputTokens * 1.6) / 1e6, 4);
  const price = "price: {input: 0.4, output: 1.6}";
  const uncached = [`models.teacher={provider: api, model: x, ${price}}`, `models.judge={provider: api, model: x, ${price}}`];
  const [, steer] = await estimated("api.yaml", uncached, cached);
  expect(steer?.usd).toBeCloseTo((steer!.inputTokens * 0.4 + steer!.outputTokens * 1.6) / 1e6, 4);
});

test("the rehearsal is free, a price makes money, an absent price is unknown and never 0", async () => {
  expect((await estimated("quickstart.yaml")).map(({ usd }) => usd)).toEqual([0, 0, 0]);
  for (const { usd, inputTokens, outputTokens } of await estimated("api.yaml"))
    expect(usd).toBeCloseTo((inputTokens * 0.4 + outputTokens * 1.6) / 1e6, 4);
  expect((await estimated("api.yaml", ["models.judge={provider: api, model: x}"])).map(({ usd }) => usd === null)).toEqual([
    false,
    true,
    true,
  ]);
});

test("a longer talk carries its history", async () => {
  const [four] = await estimated("quickstart.yaml", ["converse.turns=4"]);
  const [eight] = await estimated("quickstart.yaml", ["converse.turns=8"]);
  expect(eight!.inputTokens / eight!.calls).toBeGreaterThan(four!.inputTokens / four!.calls);
});

test("the least and the most enclose the middle", async () => {
  const { experiment } = await loaded("api.yaml");
  const [low, mid, high] = [
    await estimated("api.yaml", [], frugal(experiment)),
    await estimated("api.yaml"),
    await estimated("api.yaml", [], lavish(experiment)),
  ];
  for (const [i, { stage, ...middle }] of mid.entries()) {
    for (const name of ["calls", "inputTokens", "outputTokens", "usd"] as const) {
      expect(low[i]?.[name], `${stage} ${name}`).toBeLessThan(middle[name]!);
      expect(high[i]?.[name], `${stage} ${name}`).toBeGreaterThan(middle[name]!);
    }
  }
});
