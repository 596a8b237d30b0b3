import { expect, test } from "vitest";
import { openProject } from "../../../cli/project.ts";
import { experimentFile } from "../../../cli/init/files.ts";
import { configChecks } from "../../../cli/doctor/config.ts";
import { written } from "../../support/new-experiment.ts";

async function checked(change: (text: string) => string) {
  const { root, file, put } = written();
  put(
    "experiments/support/experiment.yaml",
    change(experimentFile({ name: "support", folder: "experiments/support", up: "../../" })),
  );
  const project = { ...(await openProject({ ATTUNE_HOME: root })), root };
  const checks = [];
  for await (const check of configChecks(file, project)) checks.push(check);
  return checks;
}

test("a configuration that can't be read is one failed check with all its lines, and the last one", async () => {
  const checks = await checked((text) => text.replace("turns: 4", "turnz: 4").replace("seed: 1", "sed: 1"));
  expect(checks).toMatchObject([{ name: "configuration", state: "failed" }]);
  expect(checks[0]?.detail).toMatch(/turnz is no known key/);
  expect(checks[0]?.detail).toMatch(/sed is no known key/);
  expect(checks[0]?.remedy).toMatch(/npx attune validate .*experiment\.yaml/);
});

test.each([
  ["money", "budget: { maxCalls: 6000, maxCostUsd: 10 }", "", /set budget\.maxCalls or budget\.maxCostUsd/],
  ["what it names", "human-data.jsonl", "none.jsonl", /none\.jsonl does not exist/],
])("%s is checked too, and the rest after it", async (_, from, to, detail) => {
  const checks = await checked((text) => text.replace(from, to));
  expect(checks[0]).toMatchObject({ name: "configuration", state: "failed", detail: expect.stringMatching(detail) as string });
  expect(checks.slice(1).map(({ name, state }) => [name, state])).toEqual([
    ["models", "failed"],
    ["weights", "failed"],
  ]);
});

test("a whole one passes", async () => {
  expect((await checked((text) => text))[0]).toMatchObject({ name: "configuration", state: "ok" });
});
