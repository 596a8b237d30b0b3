import { afterEach, describe, expect, it } from "vitest";
import { ActivityCancellationDetails } from "@temporalio/common";
import { reap } from "../../../activities/jobs/reap.ts";
import { attemptJob, bench, until } from "../../support/jobs.ts";
import type { Bench } from "../../support/jobs.ts";

let here: Bench;
afterEach(() => here.close());

/** A job whose workflow was terminated: its attempt is gone, the process goes on. */
async function orphan(): Promise<string> {
  here = await bench("waits");
  const request = await here.request();
  const { env, beats, outcome } = attemptJob(here, request);
  const ended = outcome.catch(() => undefined);
  await until("it runs", () => beats.some(({ pid }) => pid !== null));
  env.cancel("NOT_FOUND", new ActivityCancellationDetails({ notFound: true }));
  await ended;
  expect(await here.launcher.live()).toEqual([request.job]);
  return request.job;
}

const reaping = (isOpen: boolean | "unknown", now?: Date) => {
  const deps = now === undefined ? here.deps : { ...here.deps, env: { ...here.deps.env, now: () => now } };
  return reap({
    deps,
    node: here.node,
    isOpen: async ({ workflowId }) => (workflowId === "exp/quick/abababababab" ? isOpen : "unknown"),
  });
};

describe("the reaper", () => {
  it("leaves a job alone while its owner is open or can't be told", async () => {
    const job = await orphan();
    expect(await reaping(true)).toEqual([]);
    expect(await reaping("unknown")).toEqual([]);
    expect(await here.launcher.live()).toEqual([job]);
  });

  it("ends a job whose owner is closed", async () => {
    const job = await orphan();
    expect(await reaping(false)).toEqual([{ job, reason: "owner-closed" }]);
    expect(await here.launcher.live()).toEqual([]);
  });

  it("ends a job past its deadline, whatever is known of its owner", async () => {
    const job = await orphan();
    expect(await reaping("unknown", new Date(Date.now() + 10 * 60_000))).toEqual([]);
    expect(await reaping("unknown", new Date(Date.now() + 12 * 60_000))).toEqual([{ job, reason: "deadline" }]);
    expect(await here.launcher.live()).toEqual([]);
  });
});
