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
  // (1 + 2 turns of two calls) × 4 samples = 20 calls of (1500 + 2 × 4 turns × 120) input and 400 output tokens.
  expect(allowance.converse).toEqual({ calls: 20, usd: expect.closeTo((20 * (2460 * 1 + 400 * 4)) / 1e6, 9) as number });
});

test("an unknown price reserves no dollars, and is never 0", () => {
  expect(
    planFor(priced({ budget: { maxCalls: 3, allowUnknownPrice: true }, withPrice: false })).allowance.converse.usd,
  ).toBeNull();
});
