import { afterAll, beforeAll, expect, test } from "vitest";
import { bench, lines, setUp, tearDown } from "./bench.ts";

beforeAll(setUp);
afterAll(tearDown);

test("a run ends with 0 and, with --json, prints one launch and one done record and nothing else", async () => {
  const { run } = await bench();
  const { exitCode, stdout } = await run("fine", "--json", "--until", "converse");
  const [launch, done, ...rest] = lines(stdout);
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
  const { run, attune } = await bench();
  const { exitCode, stderr } = await run("fails");
  expect(stderr).toMatch(/failed: BadData: Line 3 of the data has no level/);
  expect(exitCode).toBe(1);
  expect(await attune("status", "fails")).toMatchObject({
    exitCode: 1,
    stdout: expect.stringMatching(/: failed.*\nWhy: BadData: Line 3 of the data has no level\n/),
  });
  const [status] = lines((await attune("status", "fails", "--json")).stdout);
  expect(status).toMatchObject({ status: "FAILED", error: "BadData: Line 3 of the data has no level" });
});

test("a held run is 4 and alive; resume lets it go on to 0", async () => {
  const { run, attune } = await bench();
  const held = await run("held", "--json");
  expect(held.exitCode).toBe(4);
  expect(lines(held.stdout)[1]).toMatchObject({ state: "held", hold: { reason: "budget" } });
  const status = await attune("status", "held");
  expect(status.stdout).toMatch(
    /Held \(budget\): The cap of 5 calls is reached\.\nRaise the budget.*\nThen go on: npx attune resume held\n/,
  );
  expect(status.exitCode).toBe(4);
  expect(await attune("budget", "raise", "held", "--calls", "3")).toMatchObject({
    exitCode: 1,
    stderr: expect.stringMatching(/refused: A budget can only be raised/),
  });
  expect((await attune("budget", "raise", "held", "--calls", "50")).stdout).toMatch(/may use 50 calls and any cost in all/);
  expect(await attune("resume", "held")).toMatchObject({ exitCode: 0 });
  expect(await attune("status", "held", "--follow")).toMatchObject({ exitCode: 0 });
});

test("two at once give one run: one started, one attached; cancel ends both with 5", async () => {
  const { run, attune } = await bench();
  const both = [run("waits", "--json"), run("waits", "--json")];
  // The first record of each says how it came to the run.
  await Promise.all(both.map((one) => new Promise((resolve) => one.stdout?.once("data", resolve))));
  expect(await attune("pause", "waits")).toMatchObject({ exitCode: 0 });
  expect(await attune("cancel", "waits")).toMatchObject({ exitCode: 0, stdout: expect.stringMatching(/^Cancelled exp\/waits/m) });
  const ended = await Promise.all(both);
  expect(ended.map(({ stdout }) => lines(stdout)[0]?.["state"]).toSorted()).toEqual(["attached", "started"]);
  expect(ended.map(({ exitCode }) => exitCode)).toEqual([5, 5]);
  expect(await attune("cancel", "waits")).toMatchObject({
    exitCode: 1,
    stderr: expect.stringMatching(/is not open \(cancelled\): there is nothing to cancel/),
  });
  expect(await attune("status", "waits")).toMatchObject({ exitCode: 5, stdout: expect.stringMatching(/: cancelled/) });
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

test("a cancel says what the run came to", async () => {
  const { run, attune } = await bench();
  await run("stubborn", "--detach");
  expect(await attune("cancel", "stubborn")).toMatchObject({
    exitCode: 0,
    stdout: expect.stringMatching(/exp\/stubborn\/[0-9a-f]{12} was not cancelled: it completed first/),
  });
});

test("with no worker it says which queue waits", async () => {
  const { run, attune, startWorker } = await bench({ worker: false });
  expect(await run("fine", "--detach")).toMatchObject({ exitCode: 0 });
  const { stdout } = await attune("status", "fine");
  expect(stdout).toMatch(/No worker polls cli-\d+-control: what needs it waits\. Start the workers with `npx attune dev`/);
  expect(stdout).toMatch(/No worker polls cli-\d+-llm/);
  expect(await attune("pause", "fine")).toMatchObject({ exitCode: 3 });
  expect(await attune("cancel", "fine")).toMatchObject({
    exitCode: 0,
    stdout: expect.stringMatching(
      /was sent; no control worker answers, so it takes effect once the workers are up: npx attune dev/,
    ),
  });
  await startWorker();
  await expect.poll(async () => (await attune("status", "fine")).exitCode, { timeout: 20_000 }).toBe(5);
});

test("the same name with another configuration is another run, the difference printed", async () => {
  const { run, attune } = await bench();
  await run("fine");
  const { stdout } = await run("fine", "--set", "converse.turns=2");
  expect(stdout).toMatch(/Another run than exp\/fine\/[0-9a-f]{12}:\n {2}converse\.turns: 3 → 2\n/);
  const [all] = lines((await attune("ls", "--json")).stdout) as unknown as [{ readonly pieces: unknown }[]];
  // Runs of other data directories on the same server have no pieces here.
  expect(all.filter(({ pieces }) => pieces !== null)).toHaveLength(2);
});
