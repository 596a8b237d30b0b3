import { execFile } from "node:child_process";
import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import { afterEach, describe, expect, it } from "vitest";
import { claimNode } from "../../../activities/jobs/claim.ts";
import { stopJob } from "../../../activities/jobs/stop.ts";
import type { Claim } from "../../../contract/jobs.ts";
import { attemptJob, bench, until } from "../../support/jobs.ts";
import type { Bench } from "../../support/jobs.ts";

const claimScript = fileURLToPath(new URL("../../fixtures/workers/claim.ts", import.meta.url));
const job = "exp.quick.abababababab.align.tiny.distress";
let here: Bench;
afterEach(() => here.close());

const starts = async () => (await here.trainersLog()).filter(({ event }) => event === "start");

describe("a claim", () => {
  it("has one winner among processes that claim at once", async () => {
    here = await bench("finishes");
    const claims = await Promise.all(
      ["left", "right", "third"].map(async (name) => {
        const { stdout } = await promisify(execFile)(process.execPath, [claimScript, here.home, name, job]);
        return JSON.parse(stdout) as Claim;
      }),
    );
    expect(new Set(claims.map(({ node, fence }) => `${node} ${fence}`)).size).toBe(1);
    expect(claims[0]).toMatchObject({ fence: 1, queue: `test-gpu-${claims[0]?.node}` });
  });

  it("stays, moves only when its node was lost, and never falls back", async () => {
    here = await bench("finishes");
    const other = { ...here.node, name: "there", boot: "boot-2" };
    const work = await here.request({ job });
    const claim = (node: typeof other, lostFence: number) => claimNode(here.deps, node, { job, lostFence, work });
    const first = await claim(here.node, 0);
    expect(await claim(other, 0)).toEqual(first);
    expect(await claim(here.node, 1)).toEqual(first);
    expect(await claim({ ...here.node, boot: "boot-after-restart" }, 0)).toEqual(first);
    expect(await claim(other, 1)).toMatchObject({ node: "there", fence: 2, queue: "test-gpu-there" });
    expect(await claim(here.node, 1)).toMatchObject({ node: "there", fence: 2 });
  });

  it("gets a new fence for other work under the same name", async () => {
    here = await bench("finishes");
    const { claim, ...work } = await here.request({ job });
    expect(await claimNode(here.deps, here.node, { job, lostFence: 0, work })).toEqual(claim);
    expect(await claimNode(here.deps, here.node, { job, lostFence: 0, work: { ...work, seed: 2 } })).toEqual({
      ...claim,
      fence: 2,
    });
  });

  it("gets a new fence after a stop", async () => {
    here = await bench("finishes");
    const { claim, ...work } = await here.request({ job });
    await stopJob(here.deps, here.node, job);
    expect(await claimNode(here.deps, here.node, { job, lostFence: 0, work })).toEqual({ ...claim, fence: 2 });
  });
});

describe("a returning old job", () => {
  it("is ended and promotes nothing once another node holds the claim", async () => {
    here = await bench("waits");
    const request = await here.request();
    const running = attemptJob(here, request).outcome;
    const refused = expect(running).rejects.toMatchObject({ type: "JobLost" });
    await until("the trainer runs", async () => (await starts()).length === 1);
    await claimNode(
      here.deps,
      { ...here.node, name: "there", boot: "boot-2" },
      { job: request.job, lostFence: 1, work: request },
    );
    await refused;
    expect(await here.launcher.live()).toEqual([]);
    expect((await here.deps.records.get(`job/${request.job}`))?.value).toMatchObject({ outcome: null });
  });

  it("is refused at promotion when the claim moved in the job's last moment", async () => {
    here = await bench("finishes");
    const request = await here.request();
    const before = here.deps.artifacts.putFile.bind(here.deps.artifacts);
    const artifacts = {
      ...here.deps.artifacts,
      putFile: async (uri: string, file: string) => {
        await claimNode(
          here.deps,
          { ...here.node, name: "there", boot: "boot-2" },
          { job: request.job, lostFence: 1, work: request },
        );
        return before(uri, file);
      },
    };
    await expect(attemptJob(here, request, { deps: { ...here.deps, artifacts } }).outcome).rejects.toMatchObject({
      type: "JobLost",
    });
    expect((await here.deps.records.get(`job/${request.job}`))?.value).toMatchObject({ outcome: null });
  });

  it("gives its checkpoint to the next fence on the same machine and makes room for it", async () => {
    here = await bench("waits");
    const request = await here.request();
    const first = attemptJob(here, request).outcome.catch(() => "lost");
    await until("the trainer runs", async () => (await starts()).length === 1);
    const key = `claim/${request.job}`;
    const moved = { claim: { ...request.claim, fence: 2 }, work: "" };
    expect(await here.deps.records.put(key, moved, (await here.deps.records.get(key))?.version ?? null)).toBe(true);
    const second = attemptJob(here, { ...request, claim: { ...request.claim, fence: 2 } }).outcome;
    await until("the second fence runs", async () => (await starts()).length === 2);
    // Long enough for the first attempt to look at its claim again: it must leave the second fence's process alone.
    await new Promise((resolve) => setTimeout(resolve, 2500));
    await writeFile(join(here.home, "go"), "");
    const outcome = await second;
    expect(await first).toBe("lost");
    expect(outcome.metrics["first"]).toBeGreaterThan(0);
    expect(outcome.result.uri).toContain("/fence-2/");
  });
});
