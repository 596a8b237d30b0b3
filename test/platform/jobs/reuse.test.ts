import { rm } from "node:fs/promises";
import { join } from "node:path";
import { afterEach, expect, it } from "vitest";
import { readJob } from "../../../activities/jobs/record.ts";
import { dropPieces } from "../../../cli/server/pieces.ts";
import { attemptJob, bench, run } from "../../support/jobs.ts";
import type { Bench } from "../../support/jobs.ts";

let here: Bench;
afterEach(() => here.close());

const other = { job: "exp.larger.cdcdcdcdcdcd.align.tiny.distress" };
const starts = async () => (await here.trainersLog()).filter(({ event }) => event === "start").length;

it("work that another run's job has done is not done again, and is kept under this job's name", async () => {
  here = await bench("finishes");
  const first = await attemptJob(here, await here.request()).outcome;
  const request = await here.request(other);
  const second = await attemptJob(here, request).outcome;
  expect(await starts()).toBe(1);
  expect(second).toEqual({ ...first, job: request.job, fence: request.claim.fence });
  expect((await readJob(here.deps, request.job)).outcome).toEqual(second);
});

it("other data, another seed or other code is other work", async () => {
  here = await bench("finishes");
  await attemptJob(here, await here.request()).outcome;
  await attemptJob(here, await here.request({ job: "exp.seed.cdcdcdcdcdcd.align.tiny.distress", seed: 2 })).outcome;
  const rows = await here.deps.artifacts.put("runs/quick/more.jsonl", '{"id":1}\n{"id":2}\n');
  const files = [{ path: "data/train.jsonl", ref: rows }];
  await attemptJob(here, await here.request({ job: "exp.data.cdcdcdcdcdcd.align.tiny.distress", files })).outcome;
  const deps = { ...here.deps, env: { ...here.deps.env, codeVersion: "another" } };
  await attemptJob(here, await here.request(other), { deps }).outcome;
  expect(await starts()).toBe(4);
});

it("work whose outputs were lost is done again", async () => {
  here = await bench("finishes");
  const { outputs } = await attemptJob(here, await here.request()).outcome;
  await rm(join(here.home, "artifacts", Object.values(outputs)[0]!.uri));
  await attemptJob(here, await here.request(other)).outcome;
  expect(await starts()).toBe(2);
});

it("work of a run that is to be rebuilt is done again", async () => {
  here = await bench("finishes");
  await attemptJob(here, await here.request()).outcome;
  await dropPieces(here.deps, run, ["align/tiny/distress"]);
  await attemptJob(here, await here.request(other)).outcome;
  expect(await starts()).toBe(2);
});
