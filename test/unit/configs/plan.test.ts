import { expect, test } from "vitest";
import { planFor } from "../../../configs/schema/plan.ts";
import type { ResolvedExperiment } from "../../../configs/schema/resolved.ts";
import { resolvedStub } from "../../support/resolved.ts";

const price = { input: 1, output: 4 };

function priced(change: { budget: Partial<ResolvedExperiment["experiment"]["budget"]>; withPrice: boolean }): ResolvedExperiment {
  const stub = resolvedStub();
  const { models, providers } = stub.experiment;
  const model = { ...models.judge, provider: "api", ...(change.withPrice ? { price } : {}) };
  const api = { ...providers["rehearsal"]!, rehearsal: false };
  return {
    ...stub,
    experiment: {
      ...stub.experiment,
      providers: { api },
      models: { teacher: model, simulatedUser: model, judge: model },
      budget: { allowUnknownPrice: false, ...change.budget },
    },
  };
}

test("without a cap a conversation has no allowance to keep", () => {
  expect(planFor(resolvedStub()).allowance.converse).toEqual({ calls: null, usd: null });
});

test("a cap in dollars reserves what a conversation can cost at most", () => {
  const { allowance, budget } = planFor(priced({ budget: { maxCostUsd: 3 }, withPrice: true }));
  expect(budget).toEqual({ calls: null, usd: 3 });
  // Four personas, and 2 turns of two messages with 4 samples each, under 120, 240, 480 and 480 tokens; the cap of a message is 4 × 120.
  const input = 4 * 1500 + 4 * (4 * 1500 + (0 + 1 + 2 + 3) * 480);
  const output = 300 + 600 + 1200 + 1200 + 4 * (120 + 240 + 480 + 480);
  expect(allowance.converse).toEqual({ calls: 20, usd: expect.closeTo((input * 1 + output * 4) / 1e6, 9) as number });
});

test("what a conversation may use covers every cut answer's larger limit, and every judgement asked again", () => {
  const { allowance } = planFor(priced({ budget: { maxCostUsd: 3 }, withPrice: true }));
  // 2 turns of two replies: 3 samples and 3 tries of the judge. 4 turns: 3 samples of the user, one reply, 3 tries of the judge; and the judge's canaries.
  expect(allowance.steer.calls).toBe(2 * 2 * (3 + 3));
  expect(allowance.evaluate.calls).toBe(4 + 4 * (3 + 1 + 3) + 6);
  const capped = priced({ budget: { maxCostUsd: 3 }, withPrice: true });
  const { converse } = capped.experiment;
  const wider = { ...capped, experiment: { ...capped.experiment, converse: { ...converse, maxTokensCap: 960 } } };
  expect(planFor(wider).allowance.converse.usd).toBeGreaterThan(allowance.converse.usd ?? Infinity);
});

test("an unknown price reserves no dollars, and is never 0", () => {
  expect(
    planFor(priced({ budget: { maxCalls: 3, allowUnknownPrice: true }, withPrice: false })).allowance.converse.usd,
  ).toBeNull();
});

test("a stage with a cap of its own has allowances, and no other", () => {
  const { allowance, budget, stageBudgets } = planFor(
    priced({ budget: { stages: { steer: { maxCostUsd: 2 } } }, withPrice: true }),
  );
  expect(budget).toEqual({ calls: null, usd: null });
  expect(stageBudgets).toEqual({ steer: { calls: null, usd: 2 } });
  expect(allowance.converse).toEqual({ calls: null, usd: null });
  expect(allowance.steer.usd).toBeGreaterThan(0);
  expect(planFor(priced({ budget: { maxCalls: 5, stages: { steer: {} } }, withPrice: true })).stageBudgets).toEqual({});
});
