import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, describe, expect, test } from "vitest";
import { loadExperiment } from "../../../cli/config/experiment.ts";
import { checkMoney } from "../../../cli/config/money.ts";
import { projectRoot } from "../../../cli/project.ts";

const folder = mkdtempSync(join(tmpdir(), "attune-experiment-"));
afterAll(() => rmSync(folder, { recursive: true }));

const example = readFileSync(join(projectRoot, "test/fixtures/cli/experiment.yaml"), "utf8");

/** The example with a text replaced, as a file. */
function edited(from: string, to: string): string {
  expect(example).toContain(from);
  const file = join(folder, "edited.yaml");
  writeFileSync(file, example.replace(from, to));
  return file;
}

const load = (file: string, sets: readonly string[] = [], env: Record<string, string> = {}) =>
  loadExperiment(file, { env, sets });

describe("a wrong experiment names place, path, value and what was meant", () => {
  test.each([
    [
      "an unknown key",
      "converse: { conversations: 6, turns: 3 }",
      "converse: { conversations: 6, turnz: 3, turns: 3 }",
      /edited\.yaml:\d+: converse\.turnz is no known key; did you mean turns\?/,
    ],
    ["an unknown top key", "steer: {", "stear: {", /stear is no known key; did you mean steer\?/],
    ["a look-alike letter", "seed: 11", "s\u0435ed: 11", /s\\u\{435\}ed is no known key; did you mean seed\?/],
    ["a wrong type", "max_steps: 4", 'max_steps: "4"', /align\.max_steps is "4": expected number/],
    ["a negative count", "turns: 3 }", "turns: -3 }", /converse\.turns is -3: expected number to be >=1/],
    ["NO for a flag", "illustrative: true", "illustrative: NO", /measure\.illustrative is "NO": expected boolean/],
    [
      "a path outside",
      "configs/data/illustrative.jsonl",
      "../../etc/passwd",
      /measure\.humanData is "\.\.\/\.\.\/etc\/passwd": use a relative path below the project's root/,
    ],
    [
      "an absolute path",
      "configs/data/illustrative.jsonl",
      "/etc/passwd",
      /measure\.humanData is "\/etc\/passwd": use a relative path/,
    ],
    [
      "a path with a space",
      "configs/data/illustrative.jsonl",
      "configs/data/my rows.jsonl",
      /measure\.humanData is "configs\/data\/my rows\.jsonl": .* A–Z, a–z, 0–9, dots, slashes, underscores and inner dashes, no spaces/,
    ],
    ["a name for no folder", "name: example", 'name: "../example"', /name is "\.\.\/example": use 1–40/],
    ["an unknown choice", "split: test", "split: tests", /evaluate\.split is "tests": .*did you mean test\?/],
    ["a missing key", "seed: 11\ncontexts: [distress, writing]", "seed: 11", /contexts is missing \(expected array\)/],
    [
      "an unknown provider",
      "teacher: { provider: rehearsal,",
      "teacher: { provider: rehersal,",
      /models\.teacher\.provider is "rehersal", which providers does not hold; did you mean rehearsal\?/,
    ],
    ["an arm twice", "arms: [baseline,", "arms: [baseline, baseline,", /evaluate\.arms holds baseline twice/],
    [
      "one context and a wrong adapter",
      "[distress, writing]",
      "[distress]",
      /wrong_adapter, which takes another context's adapter/,
    ],
  ])("%s", async (_, from, to, message) => {
    await expect(load(edited(from, to))).rejects.toThrow(message);
    await expect(load(edited(from, to))).rejects.toMatchObject({ exitCode: 2 });
  });
});

describe("layers: file < environment < --set", () => {
  const file = join(projectRoot, "test/fixtures/cli/experiment.yaml");

  test("the later wins, in whatever letters a variable is written", async () => {
    const env = {
      ATTUNE_SET_CONVERSE__CONVERSATIONS: "9",
      ATTUNE_SET_ALIGN__LORA_TOP_LAYERS: "3",
      ATTUNE_SET_EVALUATE__MAXNEWTOKENS: "20",
      OTHER: "1",
    };
    const experiment = await load(
      file,
      ["converse.turns=2", "align.lora_top_layers=4", "contexts=[writing, career]", "owner="],
      env,
    );
    expect(experiment.converse).toMatchObject({ conversations: 9, turns: 2 });
    expect(experiment.align.lora_top_layers).toBe(4);
    expect(experiment.evaluate.maxNewTokens).toBe(20);
    expect(experiment.contexts).toEqual(["writing", "career"]);
    expect(experiment.owner).toBe("");
  });

  test("a mistake is put down to the layer it came from", async () => {
    await expect(load(file, ["converse.turnz=2"])).rejects.toThrow(
      /^--set: converse\.turnz is no known key; did you mean turns\?/,
    );
    await expect(load(file, [], { ATTUNE_SET_CONVERSE__TURNS: "many" })).rejects.toThrow(
      /^ATTUNE_SET_CONVERSE__TURNS: converse\.turns is "many"/,
    );
    await expect(load(file, ["converse.turns.more=2"])).rejects.toThrow(/can't be set below 3/);
    await expect(load(file, ["converse"])).rejects.toThrow(/write --set path\.to\.key=value/);
    await expect(load(file, ["__proto__.polluted=1"])).rejects.toThrow(/the key __proto__ is not allowed/);
    expect(({} as { polluted?: unknown }).polluted).toBeUndefined();
  });

  test("an item of a list can be set", async () => {
    expect((await load(file, ["backbones.0.id=other"])).backbones[0]?.id).toBe("other");
    await expect(load(file, ["backbones.1.id=other"])).rejects.toThrow(/1 is no index of a list of 1/);
  });
});

describe("money", () => {
  const file = join(projectRoot, "configs/experiments/api.yaml");

  test("a real API needs a cap", async () => {
    const { budget: _, ...rest } = await load(file);
    expect(() => checkMoney({ ...rest, budget: { allowUnknownPrice: false } })).toThrow(
      /set budget\.maxCalls or budget\.maxCostUsd/,
    );
    expect(() => checkMoney({ ...rest, budget: { allowUnknownPrice: false, maxCalls: 5 } })).not.toThrow();
  });

  test("an unknown price refuses to start unless told", async () => {
    const experiment = await load(file);
    const { price: _, ...teacher } = experiment.models.teacher;
    const unpriced = { ...experiment, models: { ...experiment.models, teacher } };
    expect(() => checkMoney(unpriced)).toThrow(/No price is known for models\.teacher \(gpt-4\.1-mini\)/);
    expect(() => checkMoney({ ...unpriced, budget: { maxCalls: 5, allowUnknownPrice: true } })).not.toThrow();
  });

  test("a cap in dollars is refused where it can't hold", async () => {
    const experiment = await load(file);
    const { price: _, ...judge } = experiment.models.judge;
    const unpriced = { ...experiment, models: { ...experiment.models, judge } };
    const capped = { allowUnknownPrice: true, maxCostUsd: 5 };
    expect(() => checkMoney({ ...unpriced, budget: capped })).toThrow(/can't hold the run: set budget\.maxCalls/);
    expect(() => checkMoney({ ...unpriced, budget: { ...capped, maxCalls: 5 } })).toThrow(
      /maxCostUsd can't hold the run: leave it out/,
    );
  });

  test("the rehearsal costs nothing and needs no cap", async () => {
    const experiment = await load(join(projectRoot, "configs/experiments/quickstart.yaml"));
    expect(() => checkMoney(experiment)).not.toThrow();
  });
});
