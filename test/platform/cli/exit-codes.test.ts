import { mkdirSync, readdirSync, symlinkSync, writeFileSync } from "node:fs";
import { createServer, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import { join } from "node:path";
import { execa } from "execa";
import { afterAll, beforeAll, describe, expect, onTestFinished, test } from "vitest";
import { projectRoot } from "../../support/attune.ts";
import { tempFolder } from "../../support/temp-folder.ts";

const example = "test/fixtures/cli/experiment.yaml";
let models: Server;
let provider: string;
/** An address where nothing listens any more. */
let nowhere: string;

beforeAll(async () => {
  models = createServer((_, response) =>
    response
      .setHeader("content-type", "application/json")
      .end(JSON.stringify({ data: [{ id: "rehearsal@12345678" }, { id: "gpt-4.1-mini" }] })),
  );
  await new Promise<void>((resolve) => models.listen(0, "127.0.0.1", resolve));
  const gone = createServer();
  await new Promise<void>((resolve) => gone.listen(0, "127.0.0.1", resolve));
  nowhere = `http://127.0.0.1:${(gone.address() as AddressInfo).port}/v1`;
  await new Promise<void>((resolve) => gone.close(() => resolve()));
  provider = `http://127.0.0.1:${(models.address() as AddressInfo).port}/v1`;
});
afterAll(() => void models.close());

/** A data directory with weights that are only named. */
function dataFolder({ weights = true, architecture = "llama" } = {}): string {
  const home = tempFolder();
  if (!weights) return home;
  for (const name of ["smollm2-135m", "minilm"]) {
    mkdirSync(join(home, "models", name), { recursive: true });
    writeFileSync(join(home, "models", name, "model.safetensors"), "");
    writeFileSync(join(home, "models", name, "base.gguf"), "");
    writeFileSync(join(home, "models", name, "config.json"), JSON.stringify({ model_type: architecture }));
    writeFileSync(join(home, "models", name, "weights.json"), JSON.stringify({ id: name, sha256: "a".repeat(64) }));
  }
  return home;
}

async function attune(
  args: readonly string[],
  { home = dataFolder(), ...env }: { home?: string; [name: string]: string | undefined } = {},
) {
  const { exitCode, stdout, stderr } = await execa("node", [join(projectRoot, "bin", "attune.mjs"), ...args], {
    cwd: projectRoot,
    env: { ATTUNE_HOME: home, ATTUNE_REHEARSAL_URL: provider, TEMPORAL_ADDRESS: "127.0.0.1:1", ...env },
    reject: false,
    stdin: "ignore",
  });
  return { exitCode, stdout, stderr, home };
}

describe("a wrong configuration: exit 2, one clear error, nothing started", () => {
  test.each([
    ["an unknown key", ["--set", "converse.turnz=3"], /converse\.turnz is no known key; did you mean turns\?/],
    ["a wrong type", ["--set", "converse.turns=many"], /converse\.turns is "many": expected number/],
    [
      "a path outside the root",
      ["--set", "measure.humanData=../secret.jsonl"],
      /measure\.humanData is "\.\.\/secret\.jsonl": use a relative path below the project's root/,
    ],
    [
      "an input that is not there",
      ["--set", "measure.humanData=configs/data/none.jsonl"],
      /configs\/data\/none\.jsonl does not exist/,
    ],
    ["a folder for data", ["--set", "measure.humanData=configs/data"], /measure\.humanData is configs\/data, which is no file/],
    [
      "one file as labels of both reward models",
      ["--set", "reward.labels.evaluator=rehearsal/corpus/labels-guide.jsonl"],
      /reward\.labels\.guide and reward\.labels\.evaluator hold the same rows/,
    ],
    [
      "a context that is not there",
      ["--set", "contexts=[distres, writing]"],
      /contexts holds distres, and there is no distres\.yaml .* there are career, distress/,
    ],
    ["a stage that is not there", ["--until", "converze"], /--until converze: did you mean converse\?/],
  ])("%s", async (_, flags, message) => {
    const { exitCode, stdout, stderr, home } = await attune(["run", example, "--json", ...flags]);
    expect(stderr).toMatch(message);
    expect(exitCode).toBe(2);
    expect(stdout).toBe("");
    expect(readdirSync(home).toSorted()).toEqual(["models"]);
  });

  test("a link that leads outside the root", async () => {
    const outside = join(tempFolder(), "rows.jsonl");
    writeFileSync(outside, "{}\n");
    const link = join(projectRoot, "configs/data/link-of-a-test.jsonl");
    symlinkSync(outside, link);
    onTestFinished(() => void execa("rm", ["-f", link]));
    const { exitCode, stderr } = await attune(["run", example, "--set", "measure.humanData=configs/data/link-of-a-test.jsonl"]);
    expect(stderr).toMatch(/a link that leads outside/);
    expect(exitCode).toBe(2);
  });

  test("a file that is not there, an unknown command, a missing argument", async () => {
    expect(await attune(["run", "nothing.yaml"])).toMatchObject({
      exitCode: 2,
      stderr: expect.stringMatching(/nothing\.yaml does not exist/),
    });
    expect(await attune(["runn", example])).toMatchObject({ exitCode: 2, stderr: expect.stringMatching(/Did you mean run\?/) });
    expect(await attune(["run"])).toMatchObject({ exitCode: 2, stderr: expect.stringMatching(/missing required argument/) });
  });

  test("a real API without a cap", async () => {
    const { exitCode, stderr } = await attune(["run", "configs/experiments/api.yaml", "--set", "budget={}"], {
      OPENAI_API_KEY: "sk-test",
    });
    expect(stderr).toMatch(/set budget\.maxCalls or budget\.maxCostUsd/);
    expect(exitCode).toBe(2);
  });
});

describe("what is not there yet: exit 3, saying what to start or set", () => {
  test("no Temporal server", async () => {
    const { exitCode, stdout, stderr } = await attune(["run", example, "--json"]);
    expect(stderr).toMatch(/No Temporal server answers at 127\.0\.0\.1:1\. Start one with `npx attune dev`/);
    expect(exitCode).toBe(3);
    expect(stdout).toBe("");
  });

  test("a provider that does not answer is named with its URL", async () => {
    const { exitCode, stderr } = await attune(["run", example], { ATTUNE_REHEARSAL_URL: nowhere });
    expect(stderr).toMatch(/Provider rehearsal does not answer at http:\/\/127\.0\.0\.1:\d+\/v1\/models \(ECONNREFUSED\)/);
    expect(exitCode).toBe(3);
  });

  test("a provider whose address is not set", async () => {
    const { exitCode, stderr } = await attune(["run", example], { ATTUNE_REHEARSAL_URL: "" });
    expect(stderr).toMatch(/ATTUNE_REHEARSAL_URL, which is not set; start the stack/);
    expect(exitCode).toBe(3);
  });

  test("a model the provider does not have", async () => {
    const { exitCode, stderr } = await attune(["run", example, "--set", "models.judge.model=rehearsl"]);
    expect(stderr).toMatch(
      /models\.judge\.model is rehearsl, which provider rehearsal at .* does not have; it has rehearsal@12345678/,
    );
    expect(exitCode).toBe(3);
  });

  test("a key that is not set", async () => {
    const { exitCode, stderr } = await attune(
      ["run", "configs/experiments/api.yaml", "--set", `providers.api.baseUrl=${provider}`],
      { OPENAI_API_KEY: "" },
    );
    expect(stderr).toMatch(/needs its key in OPENAI_API_KEY, but OPENAI_API_KEY is not set/);
    expect(exitCode).toBe(3);
  });

  test("weights that were not laid out", async () => {
    const { exitCode, stderr } = await attune(["run", example], { home: dataFolder({ weights: false }) });
    expect(stderr).toMatch(/The weights of smollm2-135m are not in .*Run `node bin\/setup\.mjs`/);
    expect(exitCode).toBe(3);
  });

  test("a backbone that could be trained but not served", async () => {
    const { exitCode, stderr } = await attune(["run", example], { home: dataFolder({ architecture: "gpt_neox" }) });
    expect(stderr).toMatch(/smollm2-135m can be trained but not served: .*model_type gpt_neox/);
    expect(exitCode).toBe(3);
  });
});

test("doctor goes through everything, and a wrong configuration is one check that failed", async () => {
  const { exitCode, stdout } = await attune(["doctor", "configs/contexts/career.yaml", "--json"], {
    ATTUNE_PYTHON: "/bin/false",
  });
  const { checks } = JSON.parse(stdout) as { checks: { name: string; state: string; detail: string }[] };
  expect(checks.slice(0, 2).map(({ name, state }) => [name, state])).toEqual([
    ["Node", "ok"],
    ["trainer's Python", "failed"],
  ]);
  expect(checks.at(-1)).toMatchObject({ name: "configuration", state: "failed", detail: expect.stringMatching(/is missing/) });
  expect(exitCode).toBe(3);
});

test("a run nobody launched is named, with those there are", async () => {
  expect(await attune(["report", "quickstart"])).toMatchObject({
    exitCode: 2,
    stderr: expect.stringMatching(/No run quickstart is known here; nothing was run/),
  });
});

test("ls works without a server, stdout pure", async () => {
  const { exitCode, stdout, stderr } = await attune(["ls", "--json"]);
  expect(JSON.parse(stdout)).toEqual([]);
  expect(stderr).toMatch(/No Temporal server answers/);
  expect(exitCode).toBe(0);
});

test("init writes a valid experiment and overwrites nothing", async () => {
  onTestFinished(() => void execa("rm", ["-r", join(projectRoot, "experiments/init-of-a-test")]));
  const first = await attune(["init", "init-of-a-test", "--json"]);
  expect(first.exitCode).toBe(0);
  expect(await attune(["validate", "experiments/init-of-a-test/experiment.yaml", "--json"])).toMatchObject({ exitCode: 0 });
  expect(await attune(["validate", "experiments/init-of-a-test/contexts/init-of-a-test-a.yaml"])).toMatchObject({ exitCode: 0 });
  expect(await attune(["init", "init-of-a-test"])).toMatchObject({
    exitCode: 2,
    stderr: expect.stringMatching(/is there already/),
  });
  expect(await attune(["init", "../outside"])).toMatchObject({ exitCode: 2 });
});

test("the emitted schemas are what the code would write", async () => {
  expect(await attune(["schema", "--check"])).toMatchObject({ exitCode: 0, stderr: "" });
});

test("every shipped file is valid", async () => {
  const files = ["experiments", "contexts", "schedules"].flatMap((folder) =>
    readdirSync(join(projectRoot, "configs", folder)).map((name) => `configs/${folder}/${name}`),
  );
  for (const file of files) expect(await attune(["validate", file])).toMatchObject({ exitCode: 0, stderr: "" });
});
