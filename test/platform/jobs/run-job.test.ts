import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { afterEach, describe, expect, it } from "vitest";
import { ApplicationFailure } from "@temporalio/common";
import { failures } from "../../../contract/failures.ts";
import type { JobEnd } from "../../../contract/jobs.ts";
import { jobPlace } from "../../../platform/jobs/folder.ts";
import { readJob } from "../../../activities/jobs/record.ts";
import { attemptJob, bench, until } from "../../support/jobs.ts";
import type { Bench } from "../../support/jobs.ts";

let here: Bench;
afterEach(() => here.close());

async function failureOf(promise: Promise<unknown>): Promise<ApplicationFailure> {
  return promise.then(
    () => expect.fail("it should have failed"),
    (error: unknown) => {
      expect(error).toBeInstanceOf(ApplicationFailure);
      return error as ApplicationFailure;
    },
  );
}

const endOf = (failure: ApplicationFailure) => failure.details?.[0] as JobEnd;

describe("a job runs to its end", () => {
  it("heartbeats its progress, promotes its outputs under its fence, and says so again when asked again", async () => {
    here = await bench("finishes");
    const request = await here.request();
    const { beats, outcome: ended } = attemptJob(here, request);
    const outcome = await ended;
    expect(outcome.fence).toBe(1);
    expect(outcome.metrics).toEqual({ steps: 3, "late.loss": 0.25 });
    const weights = outcome.outputs["adapter/adapter_model.safetensors"]!;
    expect((await here.deps.artifacts.read(weights)).toString()).toBe(`weights of ${request.job}`);
    expect(weights.uri).toContain("/fence-1/out/adapter/");
    expect(beats.at(-1)).toMatchObject({ node: "here" });
    expect(await attemptJob(here, request).outcome).toEqual(outcome);
    expect((await here.trainersLog()).filter(({ event }) => event === "start")).toHaveLength(1);
    expect((await readJob(here.deps, request.job)).starts).toEqual({ first: 1 });
  });

  it("lays its inputs and a spec that names owner, fence and resolved model folder", async () => {
    here = await bench("finishes");
    const request = await here.request();
    await attemptJob(here, request).outcome;
    const folder = join(here.home, "jobs", request.job, "fence-1");
    expect(await readFile(join(folder, "data/train.jsonl"), "utf8")).toBe('{"id":1}\n');
    expect(JSON.parse(await readFile(join(folder, "spec.json"), "utf8"))).toMatchObject({
      name: request.job,
      fence: 1,
      owner: { cluster: "test", namespace: "test", workflowId: "exp/quick/abababababab" },
      inputs: [{ path: "data/train.jsonl", sha256: request.files[0]!.ref.sha256 }],
      params: { encoder: { dir: join(here.home, "models/tiny") } },
    });
  });

  it("leaves nothing behind of what it forked, and does not wait for it", async () => {
    here = await bench("leaves-a-child");
    await attemptJob(here, await here.request()).outcome;
    await until("nothing of the job is left", async () => (await here.launcher.live()).length === 0, 2000);
  });

  it("keeps head and tail of an endless log and leaves garbage out of the progress, with one warning", async () => {
    const warnings: string[] = [];
    here = await bench("noisy", { warnings });
    const request = await here.request();
    const { beats, outcome } = attemptJob(here, request);
    await outcome;
    expect(beats.at(-1)).toMatchObject({ step: 7, of: 9, loss: 0.125 });
    expect(warnings.filter((text) => text.includes("no progress"))).toHaveLength(1);
    const log = await here.launcher.logs(jobPlace(here.home, request.job, 1));
    expect(log.startsWith("the first line\n")).toBe(true);
    expect(log.trimEnd().endsWith("the last line")).toBe(true);
    expect(log.length).toBeLessThan(3.1 * 2 ** 20);
  });
});

describe("a job that fails is told apart by its cause", () => {
  it.each([
    ["refuses", failures.jobFailed, "bad-data"],
    ["out-of-memory", failures.jobFailed, "out-of-memory"],
    ["killed", failures.jobLost, "killed"],
  ])("%s → %s (%s)", async (trainer, type, cause) => {
    here = await bench(trainer);
    const failure = await failureOf(attemptJob(here, await here.request()).outcome);
    expect(failure).toMatchObject({ type, nonRetryable: true });
    expect(endOf(failure).cause).toBe(cause);
  });

  it("carries the end of its log", async () => {
    here = await bench("refuses");
    const failure = await failureOf(attemptJob(here, await here.request()).outcome);
    expect(endOf(failure)).toMatchObject({ exitCode: 65, tail: expect.stringContaining("label is 7") });
  });

  it("starts again when it is asked to after a loss, and counts the starts by cause", async () => {
    here = await bench("killed");
    const request = await here.request();
    await failureOf(attemptJob(here, request).outcome);
    await failureOf(attemptJob(here, request).outcome);
    expect((await here.trainersLog()).filter(({ event }) => event === "start")).toHaveLength(2);
    expect((await readJob(here.deps, request.job)).starts).toEqual({ first: 1, killed: 1 });
  });

  it("names the program that can't be started", async () => {
    here = await bench("no-such-program");
    const error = await attemptJob(here, await here.request()).outcome.catch((caught: unknown) => caught);
    expect(String(error)).toContain("attune doctor");
  });

  it("refuses an input that was altered", async () => {
    here = await bench("finishes");
    const request = await here.request();
    const ref = { ...request.files[0]!.ref, sha256: "f".repeat(64) };
    const altered = { ...request, files: [{ path: "data/train.jsonl", ref }] };
    const failure = await failureOf(attemptJob(here, altered).outcome);
    expect(failure).toMatchObject({ type: failures.digestMismatch, nonRetryable: true });
    expect(await here.trainersLog()).toEqual([]);
  });
});
