import { spawn } from "node:child_process";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import type { TestWorkflowEnvironment } from "@temporalio/testing";
import { afterAll, beforeAll, expect, test } from "vitest";
import { queuesFor } from "../../contract/queues.ts";
import { queuesWithoutWorker } from "../../workers/dev/pollers.ts";
import { localServer } from "../support/temporal.ts";
import { until } from "./harness.ts";

const root = fileURLToPath(new URL("../..", import.meta.url));
const home = mkdtempSync(join(tmpdir(), "attune-workers-"));
let server: TestWorkflowEnvironment;
beforeAll(async () => (server = await localServer()));
afterAll(async () => {
  await server.teardown();
  rmSync(home, { recursive: true, force: true });
});

function worker(role: string, address: string) {
  const env = {
    ...process.env,
    TEMPORAL_ADDRESS: address,
    ATTUNE_HOME: home,
    ATTUNE_QUEUE_PREFIX: "entry",
    ATTUNE_NODE: "test-node",
  };
  const child = spawn(process.execPath, [join(root, "workers", "main.ts"), role], {
    cwd: root,
    env,
    stdio: ["ignore", "pipe", "pipe"],
  });
  let stderr = "";
  child.stderr.on("data", (chunk: Buffer) => (stderr += chunk.toString()));
  const exit = new Promise<number | null>((resolve) => child.once("exit", (code) => resolve(code)));
  return { child, exit, stderr: () => stderr };
}

test("each role polls its queues and ends in order on SIGTERM", async () => {
  const workers = ["control", "llm", "gpu"].map((role) => worker(role, server.address));
  const { connection } = server;
  try {
    await until(
      async () => {
        const dead = workers.find(({ child }) => child.exitCode !== null);
        if (dead !== undefined) throw new Error(dead.stderr());
        const queues = queuesFor("entry");
        const waiting = await queuesWithoutWorker({ connection, namespace: "default", queues });
        const own = await queuesWithoutWorker({
          connection,
          namespace: "default",
          queues: { ...queues, llm: "entry-gpu-test-node", gpu: "entry-gpu-test-node-stop" },
        });
        return waiting.length === 0 && own.length === 0;
      },
      "workers on all queues",
      60_000,
    );
  } finally {
    workers.forEach(({ child }) => child.kill("SIGTERM"));
  }
  expect(await Promise.all(workers.map(({ exit }) => exit))).toEqual([0, 0, 0]);
});

test("no server: exit 3 and what to do; a wrong role: exit 2", async () => {
  const alone = worker("llm", "127.0.0.1:1");
  expect(await alone.exit).toBe(3);
  expect(alone.stderr()).toMatch(/No Temporal server answers at 127\.0\.0\.1:1.*attune dev/);
  const wrong = worker("tpu", "127.0.0.1:1");
  expect(await wrong.exit).toBe(2);
  expect(wrong.stderr()).toMatch(/control, llm, gpu/);
});
