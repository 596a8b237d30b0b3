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
  it("serves one job at a time; the other's attempt ends at once, and a later one runs when the first is gone, even killed", async () => {
    here = await bench("waits", { devices: ["cpu0"] });
    const first = attemptJob(here, await here.request({ job: "exp.quick.one" }));
    await until("one runs", async () => (await running()).length === 1);
    const second = await here.request({ job: "exp.quick.two" });
    await expect(attemptJob(here, second).outcome).rejects.toMatchObject({ type: "DeviceBusy", nonRetryable: false });
    const [holder] = await running();
    expect(await running()).toHaveLength(1);
    const lost = expect(first.outcome).rejects.toMatchObject({ type: "JobLost" });
    process.kill(holder!.pid, "SIGKILL");
    await lost;
    const later = attemptJob(here, second);
    await until("the other runs", async () => (await lines()).filter(({ event }) => event === "start").length === 2);
    await writeFile(join(here.home, "go"), "");
    await later.outcome;
  });

  it("is chosen in turn: with two, two jobs run side by side", async () => {
    const jobs = await two(["cpu0", "cpu1"]);
    await until("both run", async () => (await running()).length === 2);
    expect((await running()).map(({ device }) => device).toSorted()).toEqual(["cpu0", "cpu1"]);
    await writeFile(join(here.home, "go"), "");
    await Promise.all(jobs.map(({ outcome }) => outcome));
  });
});
