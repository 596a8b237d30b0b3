import { mkdirSync, writeFileSync } from "node:fs";
import { createServer, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import type { TestWorkflowEnvironment } from "@temporalio/testing";
import {
  bundleWorkflowCode,
  DefaultLogger,
  type NativeConnection,
  Runtime,
  Worker,
  type WorkflowBundleWithSourceMap,
} from "@temporalio/worker";
import { execa } from "execa";
import { onTestFinished } from "vitest";
import { queuesFor } from "../../../contract/queues.ts";
import { sqliteRecords } from "../../../platform/records/sqlite.ts";
import { projectRoot } from "../../support/attune.ts";
import { tempFolder } from "../../support/temp-folder.ts";
import { localServer } from "../../support/temporal.ts";

/** The real command against a real server; the workflows behind it only end as their run's name says. */
let environment: TestWorkflowEnvironment;
let bundle: WorkflowBundleWithSourceMap;
let models: Server;
let prefixes = 0;

export async function setUp(): Promise<void> {
  Runtime.install({ logger: new DefaultLogger("ERROR") });
  environment = await localServer();
  bundle = await bundleWorkflowCode({
    workflowsPath: fileURLToPath(new URL("../../fixtures/cli/workflows.ts", import.meta.url)),
    logger: new DefaultLogger("ERROR"),
  });
  models = createServer((_, response) =>
    response.setHeader("content-type", "application/json").end(JSON.stringify({ data: [{ id: "rehearsal@12345678" }] })),
  );
  await new Promise<void>((resolve) => models.listen(0, "127.0.0.1", resolve));
}

export async function tearDown(): Promise<void> {
  models.close();
  await environment.teardown();
}

export const client = () => environment.client;

/** A worker for the workflows of the tests, on any server. */
export const controlWorker = (connection: NativeConnection, taskQueue: string) =>
  Worker.create({ connection, taskQueue, workflowBundle: bundle });

/** A data directory, queues of its own and, unless told otherwise, a control worker. */
export async function bench({ worker = true, address = environment.address } = {}) {
  const home = tempFolder();
  for (const name of ["smollm2-135m", "minilm"]) {
    mkdirSync(join(home, "models", name), { recursive: true });
    writeFileSync(join(home, "models", name, "model.safetensors"), "");
    writeFileSync(join(home, "models", name, "weights.json"), JSON.stringify({ id: name, sha256: "a".repeat(64) }));
    writeFileSync(join(home, "models", name, "base.gguf"), "");
    writeFileSync(join(home, "models", name, "config.json"), JSON.stringify({ model_type: "llama" }));
  }
  const prefix = `cli-${(prefixes += 1)}`;
  const queues = queuesFor(prefix);
  const startWorker = async () => {
    const control = await controlWorker(environment.nativeConnection, queues.control);
    const ended = control.run();
    onTestFinished(async () => {
      control.shutdown();
      await ended;
    });
  };
  if (worker) await startWorker();
  const env = {
    ATTUNE_HOME: home,
    ATTUNE_QUEUE_PREFIX: prefix,
    ATTUNE_REHEARSAL_URL: `http://127.0.0.1:${(models.address() as AddressInfo).port}/v1`,
    TEMPORAL_ADDRESS: address,
  };
  const attune = (...args: string[]) =>
    execa("node", [join(projectRoot, "bin", "attune.mjs"), ...args], { cwd: projectRoot, env, reject: false, stdin: "ignore" });
  /** Names are of one bench only, so that runs of several tests never meet. */
  const run = (name: string, ...flags: string[]) =>
    attune("run", "test/fixtures/cli/experiment.yaml", "--set", `name=${name}`, "--set", `seed=${prefixes}`, ...flags);
  /** A row that says that the experiment has experts; nothing reads what it holds. */
  const publish = async (...names: readonly string[]) => {
    const records = sqliteRecords(join(home, "records.db"));
    for (const name of names) await records.put(`published/${name}`, {}, null);
    records.close();
  };
  return { attune, run, publish, startWorker, home, queues, env };
}

/** The JSON records that a command printed, one a line. */
export const lines = (stdout: string) =>
  stdout
    .trim()
    .split("\n")
    .map((line) => JSON.parse(line) as Record<string, unknown>);
