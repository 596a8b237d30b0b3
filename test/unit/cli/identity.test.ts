import { join } from "node:path";
import { beforeAll, describe, expect, test } from "vitest";
import type { Experiment } from "../../../configs/schema/experiment.ts";
import { differences, identity, identityDigest } from "../../../cli/config/identity.ts";
import { loadExperiment } from "../../../cli/config/experiment.ts";
import { readReferences } from "../../../cli/config/references.ts";
import { projectRoot } from "../../../cli/project.ts";

const file = join(projectRoot, "test/fixtures/cli/experiment.yaml");
const hash = (letter: string) => letter.repeat(64);
const ref = (letter: string, uri = "runs/x/inputs/rows.jsonl") => ({ uri, sha256: hash(letter), bytes: 10, rows: 1 });

let base: Parameters<typeof identity>[0];
const withSets = async (...sets: string[]): Promise<Experiment> => loadExperiment(file, { env: {}, sets });

beforeAll(async () => {
  const experiment = await withSets();
  const { contexts, prompts, rubric } = await readReferences(experiment, { file, root: projectRoot });
  base = {
    experiment,
    contexts: [...contexts],
    prompts: { ...prompts },
    rubric,
    inputs: { humanData: ref("a"), guideLabels: ref("b"), evaluatorLabels: ref("c"), anchors: ref("d") },
    answeredModels: { teacher: "rehearsal@1", simulatedUser: "rehearsal@1", judge: "rehearsal@1" },
    weights: { "smollm2-135m": hash("e"), "all-MiniLM-L6-v2": hash("f") },
  };
});

describe("what changes no result changes no digest", () => {
  test.each([
    "owner=somebody",
    "budget.maxCalls=5",
    "batch.window=3",
    "providers.rehearsal.width=2",
    "providers.rehearsal.timeoutSeconds=5",
    "providers.rehearsal.baseUrlEnv=OTHER_URL",
    "providers.rehearsal.apiKeyEnv=SOME_KEY",
    "models.teacher.price={input: 1, output: 2}",
    "align.deadlineSeconds=100",
    "launcher={kind: process, restarts: 1}",
    "measure.humanData=configs/data/copy.jsonl",
  ])("%s", async (set) => {
    expect(identityDigest({ ...base, experiment: await withSets(set) })).toBe(identityDigest(base));
  });

  test("canaries, which a run of before them has none of", async () => {
    const { canaries } = await readReferences(base.experiment, { file, root: projectRoot });
    expect(canaries.map(({ kind }) => kind)).toContain("instruction");
    expect(identityDigest({ ...base, canaries: [...canaries] })).toBe(identityDigest(base));
  });

  test("where an input is stored, and the order of keys", () => {
    const inputs = { ...base.inputs, anchors: ref("d", "runs/elsewhere/anchors.jsonl") };
    const prompts = Object.fromEntries(Object.entries(base.prompts).toReversed());
    expect(identityDigest({ ...base, inputs, prompts })).toBe(identityDigest(base));
  });
});

describe("what changes results changes the digest", () => {
  test.each([
    "name=other",
    "seed=12",
    "converse.turns=2",
    "models.teacher.temperature=0.1",
    "align.max_steps=5",
    "evaluate.split=validation",
    "providers.rehearsal.jsonSchema=false",
    "steer.judgeMargin=0.2",
  ])("%s", async (set) => {
    expect(identityDigest({ ...base, experiment: await withSets(set) })).not.toBe(identityDigest(base));
  });

  test("data, prompts, rubric, a context, the model behind an alias, weights", () => {
    const [first, ...rest] = base.contexts;
    if (first === undefined) throw new Error("the example has contexts");
    const changed = [
      { ...base, inputs: { ...base.inputs, anchors: ref("0") } },
      { ...base, prompts: { ...base.prompts, baseline: "You are another assistant." } },
      { ...base, rubric: "Another rubric" },
      { ...base, contexts: [{ ...first, title: "Another title" }, ...rest] },
      { ...base, answeredModels: { ...base.answeredModels, judge: "rehearsal@2" } },
      { ...base, weights: { ...base.weights, "smollm2-135m": hash("0") } },
    ];
    const digests = new Set([base, ...changed].map(identityDigest));
    expect(digests.size).toBe(changed.length + 1);
  });
});

test("differences are named leaf by leaf", async () => {
  const other = { ...base, experiment: await withSets("converse.turns=2", "seed=12"), rubric: "Another" };
  expect(differences(identity(base), identity(other)).map(({ path }) => path)).toEqual(["converse.turns", "rubric", "seed"]);
  expect(differences(identity(base), identity(base))).toEqual([]);
});
