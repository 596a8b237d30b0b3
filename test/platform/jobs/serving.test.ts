import { rm, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { afterEach, describe, expect, it } from "vitest";
import { ActivityCancellationDetails } from "@temporalio/common";
import { keepServing } from "../../../activities/jobs/serving.ts";
import type { Serving } from "../../../contract/jobs.ts";
import { attempt, bench, until } from "../../support/jobs.ts";
import type { Bench } from "../../support/jobs.ts";

let here: Bench;
afterEach(() => here.close());

const job = "exp.quick.abababababab.serve.tiny";
const record = async () => ((await here.deps.records.get(`serving/${job}`))?.value ?? null) as Serving | null;

async function serving() {
  const request = await here.request({ job });
  const { env } = attempt();
  const ended = env.run(keepServing, here.deps, here.node, request).catch((error: unknown) => error);
  return { env, ended };
}

describe("keepServing", () => {
  it("announces the server under the node's address, starts the next generation when it dies, and takes it down on cancel", async () => {
    here = await bench("serves");
    const { env, ended } = await serving();
    await until("the first generation answers", async () => (await record())?.generation === 1);
    expect(await record()).toMatchObject({ models: ["base"], engine: "fixture 1" });
    const first = (await record())!.endpoint;
    expect(first).toMatch(/^http:\/\/127\.0\.0\.2:\d+\/v1$/);
    expect((await fetch(`${first}/models`)).ok).toBe(true);
    await writeFile(join(here.home, "die"), "");
    await until("the second generation answers", async () => (await record())?.generation === 2);
    expect((await record())!.endpoint).not.toBe(first);
    env.cancel("CANCELLED", new ActivityCancellationDetails({ cancelRequested: true }));
    expect(await ended).toMatchObject({ name: "CancelledFailure" });
    expect(await record()).toBeNull();
    expect(await here.launcher.live()).toEqual([]);
  });

  it("keeps generation and process over a worker's shutdown", async () => {
    here = await bench("serves");
    const one = await serving();
    await until("the first generation answers", async () => (await record()) !== null);
    const before = await record();
    one.env.cancel("WORKER_SHUTDOWN", new ActivityCancellationDetails({ workerShutdown: true }));
    await one.ended;
    await here.deps.records.remove(`serving/${job}`);
    const two = await serving();
    await until("it is announced again", async () => (await record()) !== null);
    expect(await record()).toEqual(before);
    two.env.cancel();
    await two.ended;
  });

  it("gives up on a server that can't be brought up", async () => {
    here = await bench("refuses");
    const { ended } = await serving();
    expect(await ended).toMatchObject({ type: "JobFailed", details: [{ cause: "bad-data" }] });
    await rm(join(here.home, "trainers.log"), { force: true });
  });
});
