import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import { afterEach, describe, expect, it } from "vitest";
import { alive, attemptJob, bench, until } from "../../support/jobs.ts";
import type { Bench } from "../../support/jobs.ts";

let here: Bench;
afterEach(() => here.close());

const lines = () => here.trainersLog();
const running = async () => (await lines()).filter(({ event, pid }) => event === "start" && alive(pid));

async function two(devices: readonly string[]) {
  here = await bench("waits", { devices });
  const jobs = ["exp.quick.one", "exp.quick.two"];
  return Promise.all(
    jobs.map(async (job) => {
      const request = await here.request({ job });
      return attemptJob(here, request);
    }),
  );
}

describe("a device", () => {
  it("serves one job at a time; the other waits with heartbeats, and runs when the first is gone, even killed", async () => {
    const jobs = await two(["cpu0"]);
    await until("one runs", async () => (await running()).length === 1);
    await until("both heartbeat", () => jobs.every(({ beats }) => beats.length > 0));
    expect(await running()).toHaveLength(1);
    const [first] = await running();
    const settled = Promise.allSettled(jobs.map(({ outcome }) => outcome));
    process.kill(first!.pid, "SIGKILL");
    await until("the other runs", async () => (await lines()).filter(({ event }) => event === "start").length === 2);
    await writeFile(join(here.home, "go"), "");
    expect((await settled).map(({ status }) => status).toSorted()).toEqual(["fulfilled", "rejected"]);
  });

  it("is chosen in turn: with two, two jobs run side by side", async () => {
    const jobs = await two(["cpu0", "cpu1"]);
    await until("both run", async () => (await running()).length === 2);
    expect((await running()).map(({ device }) => device).toSorted()).toEqual(["cpu0", "cpu1"]);
    await writeFile(join(here.home, "go"), "");
    await Promise.all(jobs.map(({ outcome }) => outcome));
  });
});
