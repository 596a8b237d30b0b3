import { writeFile } from "node:fs/promises";
import { spawn } from "node:child_process";
import type { ChildProcess } from "node:child_process";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { afterEach, describe, expect, it } from "vitest";
import type { JobRequest } from "../../../contract/jobs.ts";
import { readJob } from "../../../activities/jobs/record.ts";
import { jobPlace } from "../../../platform/jobs/folder.ts";
import { markedProcesses, marks } from "../../../platform/jobs/processes.ts";
import { attemptJob, bench, until } from "../../support/jobs.ts";
import type { Bench } from "../../support/jobs.ts";

const worker = fileURLToPath(new URL("../../fixtures/workers/run-job.ts", import.meta.url));
let here: Bench;
afterEach(() => here.close());

/** An attempt in a process of its own, so that it can be killed. */
async function workerProcess(request: JobRequest, trainer: string): Promise<ChildProcess> {
  const file = join(here.home, "request.json");
  await writeFile(file, JSON.stringify(request));
  return spawn(process.execPath, [worker, here.home, trainer, file], { stdio: "ignore" });
}

const starts = async () => (await here.trainersLog()).filter(({ event }) => event === "start");

describe("a job outlives its worker", () => {
  it("is adopted, not started again, after its worker was killed", async () => {
    here = await bench("waits");
    const request = await here.request();
    const first = await workerProcess(request, "waits");
    await until("the trainer runs", async () => (await starts()).length === 1);
    first.kill("SIGKILL");
    await until("the worker is gone", () => first.signalCode === "SIGKILL");
    const { beats, outcome: second } = attemptJob(here, request);
    const [trainer] = await starts();
    await until("the second attempt follows the same process", () => beats.some(({ pid }) => pid === trainer?.pid));
    await writeFile(join(here.home, "go"), "");
    expect((await second).metrics).toMatchObject({ first: 0 });
    expect(await starts()).toHaveLength(1);
    expect(await readJob(here.deps, request.job)).toMatchObject({ starts: { first: 1 }, adoptions: 1 });
  });

  it("is collected by the next attempt when it ended with no worker alive", async () => {
    here = await bench("waits");
    const request = await here.request();
    const first = await workerProcess(request, "waits");
    await until("the trainer runs", async () => (await starts()).length === 1);
    first.kill("SIGKILL");
    await writeFile(join(here.home, "go"), "");
    await until("the trainer has ended", async () => (await here.launcher.live()).length === 0);
    await attemptJob(here, request).outcome;
    expect(await starts()).toHaveLength(1);
  });

  it("tells the next attempt of an end that nobody saw, instead of running over it", async () => {
    here = await bench("waits");
    const request = await here.request();
    const first = await workerProcess(request, "waits");
    await until("the trainer runs", async () => (await starts()).length === 1);
    first.kill("SIGKILL");
    const [trainer] = await starts();
    process.kill(trainer!.pid, "SIGTERM");
    await until("the trainer has ended", async () => (await here.launcher.live()).length === 0);
    const again = () => attemptJob(here, request).outcome;
    await expect(again()).rejects.toMatchObject({ type: "JobLost", details: [{ cause: "preempted", exitCode: 75 }] });
    await writeFile(join(here.home, "go"), "");
    expect((await again()).metrics["first"]).toBeGreaterThan(0);
    expect((await readJob(here.deps, request.job)).starts).toEqual({ first: 1, preempted: 1 });
  });
});

describe("an end that left no record", () => {
  it("counts as killed: job and supervisor were ended together", async () => {
    here = await bench("waits");
    const request = await here.request();
    const { beats, outcome } = attemptJob(here, request);
    const lost = expect(outcome).rejects.toMatchObject({
      type: "JobLost",
      details: [{ cause: "killed", exitCode: null, signal: null }],
    });
    await until("its attempt follows it", () => beats.some(({ pid }) => pid !== null));
    const root = jobPlace(here.home, request.job, 1).root;
    for (const { pid } of await markedProcesses(marks.job, (job) => job === root)) process.kill(pid, "SIGKILL");
    await lost;
    await writeFile(join(here.home, "go"), "");
    expect((await attemptJob(here, request).outcome).fence).toBe(1);
  });
});

describe("one process a job", () => {
  it("is what two attempts at once come to", async () => {
    here = await bench("waits");
    const request = await here.request();
    const both = [attemptJob(here, request), attemptJob(here, request)].map(({ outcome }) => outcome);
    await until("the trainer runs", async () => (await starts()).length > 0);
    await new Promise((resolve) => setTimeout(resolve, 1500));
    await writeFile(join(here.home, "go"), "");
    const [a, b] = await Promise.all(both);
    expect(a?.outputs).toEqual(b?.outputs);
    expect(await starts()).toHaveLength(1);
  });

  it("is what two ensures from the same instant come to", async () => {
    here = await bench("waits");
    const request = await here.request();
    const place = jobPlace(here.home, request.job, 1);
    // The folder must be laid once before launchers alone can start in it.
    const running = attemptJob(here, request).outcome.catch(() => "stopped");
    await until("the trainer runs", async () => (await starts()).length === 1);
    await here.launcher.stop(request.job, 1000);
    await running;
    const ensure = () => here.launcher.ensure({ place, kind: "reward", devices: ["cpu0"], beforeStart: async () => undefined });
    const found = await Promise.all([ensure(), ensure(), ensure()]);
    const pids = found.map((one) => (one.state === "running" ? one.running.pid : null));
    expect(new Set(pids).size).toBe(1);
    expect(await starts()).toHaveLength(2);
  });
});
