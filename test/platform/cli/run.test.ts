import { mkdirSync, writeFileSync } from "node:fs";
import { createServer, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import type { TestWorkflowEnvironment } from "@temporalio/testing";
import { bundleWorkflowCode, DefaultLogger, Runtime, Worker, type WorkflowBundleWithSourceMap } from "@temporalio/worker";
import { execa } from "execa";
import { afterAll, beforeAll, expect, onTestFinished, test } from "vitest";
import { queuesFor } from "../../../contract/queues.ts";
import { projectRoot } from "../../support/attune.ts";
import { tempFolder } from "../../support/temp-folder.ts";
import { localServer } from "../../support/temporal.ts";

/** The real command against a real server; the workflows behind it only end as their run's name says. */
let environment: TestWorkflowEnvironment;
let bundle: WorkflowBundleWithSourceMap;
let models: Server;
let prefixes = 0;

beforeAll(async () => {
  Runtime.install({ logger: new DefaultLogger("ERROR") });
  environment = await localServer();
  bundle = await bundleWorkflowCode({
    workflowsPath: fileURLToPath(new URL("../../fixtures/cli/workflows.ts", import.meta.url)),
    logger: new DefaultLogger("ERROR"),
  });
  models = createServer((_, response) =>
    response.setHeader("content-type", "application/json").end(JSON.stringify({ data: [{ id: "rehearsal@12345678" }] })),
  );
  await new Promise<void>((resolve) => models.listen(0, "127.0.0.1", resolve));
});
afterAll(async () => {
  models.close();
  await environment.teardown();
});

/** A data directory, queues of its own and, unless told otherwise, a control worker. */
async function bench({ worker = true } = {}) {
  const home = tempFolder();
  for (const name of ["smollm2-135m", "minilm"]) {
    mkdirSync(join(home, "models", name), { recursive: true });
    writeFileSync(join(home, "models", name, "model.safetensors"), "");
    writeFileSync(join(home, "models", name, "weights.json"), JSON.stringify({ id: name, sha256: "a".repeat(64) }));
  }
  const prefix = `cli-${(prefixes += 1)}`;
  if (worker) {
    const control = await Worker.create({
      connection: environment.nativeConnection,
      taskQueue: queuesFor(prefix).control,
      workflowBundle: bundle,
    });
    const ended = control.run();
    onTestFinished(async () => {
      control.shutdown();
      await ended;
    });
  }
  const env = {
    ATTUNE_HOME: home,
    ATTUNE_QUEUE_PREFIX: prefix,
    ATTUNE_REHEARSAL_URL: `http://127.0.0.1:${(models.address() as AddressInfo).port}/v1`,
    TEMPORAL_ADDRESS: environment.address,
  };
  const attune = (...args: string[]) =>
    execa("node", [join(projectRoot, "bin", "attune.mjs"), ...args], { cwd: projectRoot, env, reject: false, stdin: "ignore" });
  /** Names are of one bench only, so that runs of several tests never meet. */
  const run = (name: string, ...flags: string[]) =>
    attune("run", "test/fixtures/cli/experiment.yaml", "--set", `name=${name}`, "--set", `seed=${prefixes}`, ...flags);
  return { attune, run };
}

const records = (stdout: string) =>
  stdout
    .trim()
    .split("\n")
    .map((line) => JSON.parse(line) as Record<string, unknown>);

test("a run ends with 0 and, with --json, prints one launch and one done record and nothing else", async () => {
  const { run } = await bench();
  const { exitCode, stdout } = await run("fine", "--json", "--until", "converse");
  const [launch, done, ...rest] = records(stdout);
  expect(launch).toMatchObject({
    event: "launch",
    state: "started",
    workflowId: expect.stringMatching(/^exp\/fine\/[0-9a-f]{12}$/),
  });
  expect(done).toMatchObject({ event: "done", state: "stopped-after-stage", exitCode: 0 });
  expect(rest).toEqual([]);
  expect(exitCode).toBe(0);
});

test("calls and tokens come before the start, then the link and what to do next", async () => {
  const { run } = await bench();
  const { stdout } = await run("fine");
  expect(stdout).toMatch(/^stage +calls +student calls/);
  expect(stdout.indexOf("in all")).toBeLessThan(stdout.indexOf("Started exp/fine/"));
  expect(stdout).toMatch(/cancel +npx attune cancel fine/);
});

test("a failure is 1, with the failure's own words", async () => {
  const { run } = await bench();
  const { exitCode, stderr } = await run("fails");
  expect(stderr).toMatch(/failed: BadData: Line 3 of the data has no level/);
  expect(exitCode).toBe(1);
});

test("a held run is 4 and alive; resume lets it go on to 0", async () => {
  const { run, attune } = await bench();
  const held = await run("held", "--json");
  expect(held.exitCode).toBe(4);
  expect(records(held.stdout)[1]).toMatchObject({ state: "held", hold: { reason: "budget" } });
  const status = await attune("status", "held");
  expect(status.stdout).toMatch(/Held \(budget\): The cap of 5 calls is reached\.\nRaise the budget/);
  expect(status.exitCode).toBe(4);
  expect(await attune("budget", "held", "--calls", "3")).toMatchObject({
    exitCode: 1,
    stderr: expect.stringMatching(/refused: A budget can only be raised/),
  });
  expect((await attune("budget", "held", "--calls", "50")).stdout).toMatch(/may use 50 calls and any cost in all/);
  expect(await attune("resume", "held")).toMatchObject({ exitCode: 0 });
  expect(await attune("status", "held", "--follow")).toMatchObject({ exitCode: 0 });
});

test("two at once give one run: one started, one attached; cancel ends both with 5", async () => {
  const { run, attune } = await bench();
  const both = [run("waits", "--json"), run("waits", "--json")];
  // The first record of each says how it came to the run.
  await Promise.all(both.map((one) => new Promise((resolve) => one.stdout?.once("data", resolve))));
  expect(await attune("pause", "waits")).toMatchObject({ exitCode: 0 });
  expect(await attune("cancel", "waits")).toMatchObject({ exitCode: 0 });
  const ended = await Promise.all(both);
  expect(ended.map(({ stdout }) => records(stdout)[0]?.["state"]).toSorted()).toEqual(["attached", "started"]);
  expect(ended.map(({ exitCode }) => exitCode)).toEqual([5, 5]);
  expect(await attune("cancel", "waits")).toMatchObject({
    exitCode: 1,
    stderr: expect.stringMatching(/is not open \(cancelled\): there is nothing to cancel/),
  });
});

test("Ctrl-C leaves the run and says how to come back", async () => {
  const { run, attune } = await bench();
  const running = run("waits");
  let printed = "";
  await new Promise<void>((resolve) =>
    running.stdout?.on("data", (chunk: Buffer) => {
      printed += chunk.toString();
      if (printed.includes("converse/distress: running")) resolve();
    }),
  );
  running.kill("SIGINT");
  const { exitCode, stdout } = await running;
  expect(stdout).toMatch(/Left running\. Attach again: npx attune status waits --follow {3}Cancel: npx attune cancel waits/);
  expect(exitCode).toBe(0);
  expect((await attune("status", "waits")).stdout).toMatch(/^exp\/waits\/[0-9a-f]{12}: running/);
  await attune("cancel", "waits");
});

test("with no worker it says which queue waits", async () => {
  const { run, attune } = await bench({ worker: false });
  expect(await run("fine", "--detach")).toMatchObject({ exitCode: 0 });
  const { stdout } = await attune("status", "fine");
  expect(stdout).toMatch(/No worker polls cli-\d+-control: what needs it waits\. Start the workers with `npx attune dev`/);
  expect(stdout).toMatch(/No worker polls cli-\d+-llm/);
  expect(await attune("pause", "fine")).toMatchObject({ exitCode: 3 });
  await attune("cancel", "fine", "--no-wait");
});

test("the same name with another configuration is another run, the difference printed", async () => {
  const { run, attune } = await bench();
  await run("fine");
  const { stdout } = await run("fine", "--set", "converse.turns=2");
  expect(stdout).toMatch(/Another run than exp\/fine\/[0-9a-f]{12}:\n {2}converse\.turns: 3 → 2\n/);
  const [all] = records((await attune("ls", "--json")).stdout) as unknown as [{ readonly pieces: unknown }[]];
  // Runs of other data directories on the same server have no pieces here.
  expect(all.filter(({ pieces }) => pieces !== null)).toHaveLength(2);
});

test("a schedule: applied twice it is one, triggered it gives its verdict, skips are shown", async () => {
  const { attune } = await bench();
  const file = join(tempFolder(), "nights.yaml");
  const write = (experiment: string, cron = "0 3 * * *") =>
    writeFileSync(file, `id: nights-of-a-test\nexperiment: ${experiment}\ncron: "${cron}"\noverlap: skip\ncatchupWindow: 6h\n`);
  write("better");
  expect((await attune("schedule", "apply", file)).stdout).toMatch(
    /^Created nights-of-a-test; next night \d{4}-\d\d-\d\dT03:00:00Z/,
  );
  expect((await attune("schedule", "apply", file)).stdout).toMatch(/^Updated/);
  expect(await attune("schedule", "trigger", "nights-of-a-test", "--wait")).toMatchObject({
    exitCode: 0,
    stdout: expect.stringMatching(/Night 2026-01-02: passed/),
  });
  write("worse");
  await attune("schedule", "apply", file);
  expect(await attune("schedule", "trigger", "nights-of-a-test", "--wait")).toMatchObject({
    exitCode: 100,
    stdout: expect.stringMatching(/regressed \(distress\)/),
  });
  const [[row]] = records((await attune("schedule", "ls", "--json")).stdout) as unknown as [[Record<string, unknown>]];
  expect(row).toMatchObject({
    id: "nights-of-a-test",
    taken: 2,
    skippedOverlap: 0,
    missedCatchupWindow: 0,
    policies: { overlap: "SKIP", catchupWindow: 6 * 3_600_000, pauseOnFailure: true },
  });
  write("better", "61 3 * * *");
  expect(await attune("schedule", "apply", file)).toMatchObject({
    exitCode: 2,
    stderr: expect.stringMatching(/Schedule nights-of-a-test can't be set: Minute is not in range/),
  });
  expect(await attune("schedule", "delete", "nights-of-a-test")).toMatchObject({ exitCode: 0 });
  expect(await attune("schedule", "trigger", "nights-of-a-test")).toMatchObject({ exitCode: 2 });
});
