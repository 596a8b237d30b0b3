import { afterEach, describe, expect, it } from "vitest";
import { ActivityCancellationDetails } from "@temporalio/common";
import { stopJob } from "../../../activities/jobs/stop.ts";
import { alive, attemptJob, bench, until } from "../../support/jobs.ts";
import type { Bench } from "../../support/jobs.ts";

let here: Bench;
afterEach(() => here.close());

const starts = async () => (await here.trainersLog()).filter(({ event }) => event === "start");
const pids = async () => (await here.trainersLog()).map(({ pid }) => pid);

async function running(trainer: string) {
  here = await bench(trainer);
  const request = await here.request();
  const one = attemptJob(here, request);
  const ended = one.outcome.catch((error: unknown) => error);
  await until("the trainer runs", async () => (await starts()).length === 1);
  await until("its attempt follows it", () => one.beats.some(({ pid }) => pid !== null));
  return { request, ended, ...one };
}

describe("stopJob", () => {
  it("ends what ignores SIGTERM, with what it forked, and is idempotent", async () => {
    const { request, ended } = await running("stubborn");
    await until("the grandchild runs", async () => (await pids()).length === 2);
    expect(await stopJob(here.deps, here.node, request.job)).toBe(true);
    expect((await pids()).filter(alive)).toEqual([]);
    expect(await here.launcher.live()).toEqual([]);
    expect(await stopJob(here.deps, here.node, request.job)).toBe(false);
    expect(await ended).toMatchObject({ type: "JobLost" });
  });

  it("bars a late attempt from starting the job again", async () => {
    const { request, ended } = await running("waits");
    await stopJob(here.deps, here.node, request.job);
    await ended;
    const late = attemptJob(here, request).outcome;
    await expect(late).rejects.toMatchObject({ type: "JobLost", message: expect.stringContaining("stopped") });
    expect(await starts()).toHaveLength(1);
  });

  it("knows nothing of a job that never was", async () => {
    here = await bench("finishes");
    expect(await stopJob(here.deps, here.node, "exp.never.was")).toBe(false);
  });
});

describe("a cancelled attempt", () => {
  it.each([
    ["cancelRequested", { cancelRequested: true }, "stops"],
    ["cancelRequested while the worker shuts down", { cancelRequested: true, workerShutdown: true }, "stops"],
    ["workerShutdown", { workerShutdown: true }, "leaves"],
    ["paused", { paused: true }, "leaves"],
    ["reset", { reset: true }, "leaves"],
    ["paused, then cancelled", { paused: true, cancelRequested: true }, "leaves"],
    ["timedOut and notFound", { timedOut: true, notFound: true }, "leaves"],
    ["notFound alone (terminated)", { notFound: true }, "leaves"],
  ] as const)("%s", async (_, details, does) => {
    const { env, ended, request } = await running("waits");
    env.cancel("CANCELLED", new ActivityCancellationDetails(details));
    expect(await ended).toMatchObject({ name: "CancelledFailure" });
    expect(await here.launcher.live()).toEqual(does === "stops" ? [] : [request.job]);
  });
});
