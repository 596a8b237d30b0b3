import { appendFile, mkdtemp, readdir, rm, stat } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { CappedLog, lastLines, readCappedLog } from "../../../../platform/jobs/capped-log.ts";
import { jobEnvironment } from "../../../../platform/jobs/environment.ts";
import { jobPlace } from "../../../../platform/jobs/folder.ts";
import { nodeAddress, nodeName } from "../../../../platform/jobs/node.ts";
import { ProgressTail } from "../../../../platform/jobs/progress.ts";

let folder: string;
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), "attune-files-"));
});
afterEach(() => rm(folder, { recursive: true, force: true }));

describe("a capped log", () => {
  it("keeps a short log as it is", () => {
    const file = join(folder, "a.log");
    const log = new CappedLog(file, 100);
    log.write(Buffer.from("one\ntwo\n"));
    log.close();
    expect(readCappedLog(file)).toBe("one\ntwo\n");
  });

  it("keeps beginning and end of a long one within three times its cap", async () => {
    const file = join(folder, "a.log");
    const log = new CappedLog(file, 1000);
    for (let line = 0; line < 5000; line += 1) log.write(Buffer.from(`line ${line}\n`));
    log.close();
    const text = readCappedLog(file);
    expect(text).toMatch(/^line 0\n/);
    expect(text).toMatch(/line 4999\n$/);
    expect(text).toContain("left out");
    const sizes = await Promise.all((await readdir(folder)).map(async (name) => (await stat(join(folder, name))).size));
    expect(sizes.reduce((sum, size) => sum + size, 0)).toBeLessThanOrEqual(3000);
  });

  it("gives the last lines within a number of bytes", () => {
    expect(lastLines("a\nb\nc\n", 2)).toBe("b\nc");
    expect(lastLines("x".repeat(5000))).toHaveLength(2001);
  });
});

describe("progress", () => {
  const line = (step: number) => `${JSON.stringify({ step, of: 9, loss: null, at: "t", note: "größer" })}\n`;

  it("is read from where it stood, half lines when they are whole", async () => {
    const file = join(folder, "progress.jsonl");
    const garbage: string[] = [];
    const tail = new ProgressTail(file, (text) => garbage.push(text));
    expect(await tail.read()).toEqual([]);
    await appendFile(file, line(1) + line(2).slice(0, 20));
    expect((await tail.read()).map(({ step }) => step)).toEqual([1]);
    await appendFile(file, line(2).slice(20) + "not json\n{}\n");
    expect(await tail.read()).toMatchObject([{ step: 2, note: "größer" }]);
    expect(tail.latest?.step).toBe(2);
    expect(garbage).toEqual(["not json", "{}"]);
  });

  it("does not hold on to an endless line", async () => {
    const file = join(folder, "progress.jsonl");
    const garbage: string[] = [];
    const tail = new ProgressTail(file, (text) => garbage.push(text));
    await appendFile(file, "x".repeat(3 << 18) + "\n" + line(3));
    expect((await tail.read()).map(({ step }) => step)).toEqual([3]);
    expect(garbage.length).toBeGreaterThan(0);
  });
});

describe("names and surroundings", () => {
  it.each(["../up", "a/b", "", "UPPER", ".hidden", "x".repeat(121), "naïve"])("refuses %j as a job's name", (job) => {
    expect(() => jobPlace("/home", job, 1)).toThrow(/no name for a job/);
  });

  it("makes a queue's name of any host, and takes ATTUNE_NODE only as it is allowed", () => {
    expect(nodeName({}, "GPU_Box.example.org")).toBe("gpu-box-example-org");
    expect(nodeName({}, "___")).toBe("node");
    expect(nodeName({ ATTUNE_NODE: "rack-1" }, "x")).toBe("rack-1");
    expect(() => nodeName({ ATTUNE_NODE: "Rack 1" }, "x")).toThrow(/ATTUNE_NODE/);
  });

  it("serves on loopback or on one address of the machine, never on all of them", () => {
    expect(nodeAddress({})).toBe("127.0.0.1");
    expect(nodeAddress({ ATTUNE_NODE_ADDRESS: "10.0.0.7" })).toBe("10.0.0.7");
    expect(nodeAddress({ ATTUNE_NODE_ADDRESS: "gpu-1.cluster.example" })).toBe("gpu-1.cluster.example");
    for (const wrong of ["0.0.0.0", "0", "http://gpu-1", "gpu-1:8000", "gpu 1", "::"])
      expect(() => nodeAddress({ ATTUNE_NODE_ADDRESS: wrong })).toThrow(/ATTUNE_NODE_ADDRESS is .*one interface/);
  });

  it("hides the worker's secrets from the job", () => {
    const seen = jobEnvironment("align", { PATH: "/bin", OPENAI_API_KEY: "sk-canary", TEMPORAL_API_KEY: "canary" });
    expect(JSON.stringify(seen)).not.toContain("canary");
    expect(seen).toMatchObject({ PATH: "/bin", MALLOC_ARENA_MAX: "1" });
    expect(jobEnvironment("serve", {})).toEqual({
      PYTHONUNBUFFERED: "1",
      PYTHONDONTWRITEBYTECODE: "1",
      OMP_WAIT_POLICY: "PASSIVE",
    });
    expect(jobEnvironment("score", { OMP_WAIT_POLICY: "ACTIVE" })).toMatchObject({ OMP_WAIT_POLICY: "ACTIVE" });
  });
});
