import { NativeConnection, Runtime } from "@temporalio/worker";
import { defaultQueues, queuesFor } from "../contract/queues.ts";
import { StoreError } from "../platform/store-error.ts";
import { createControlWorker } from "./control.ts";
import { openDeps } from "./deps.ts";
import { createGpuWorker } from "./gpu.ts";
import { createLlmWorker } from "./llm.ts";
import type { RoleWorker, WorkerSettings } from "./options.ts";
import { temporalLogger } from "./temporal-logger.ts";

const { env } = process;

/** A worker of each role; one role a process. */
const roles: Readonly<Record<string, (settings: WorkerSettings) => Promise<RoleWorker>>> = {
  control: createControlWorker,
  llm: createLlmWorker,
  gpu: (settings) => createGpuWorker({ ...settings, env, devices: deviceCount(env["ATTUNE_DEVICES"]) }),
};

/** `node workers/main.ts <role>`: exits 2 for a wrong role or store, 3 when the server or the store is not reachable. SIGTERM and SIGINT end it in order. */
async function main(role: string | undefined): Promise<number> {
  const create = roles[role ?? ""];
  if (create === undefined) {
    process.stderr.write(`worker: ${role ?? "no role"} given; use one of ${Object.keys(roles).join(", ")}\n`);
    return 2;
  }
  const { deps, close } = await openDeps(env, { callsModels: role === "llm" });
  Runtime.install({ logger: temporalLogger(deps.log) });
  const address = env["TEMPORAL_ADDRESS"] ?? "127.0.0.1:7233";
  const namespace = env["TEMPORAL_NAMESPACE"] ?? "default";
  const prefix = env["ATTUNE_QUEUE_PREFIX"] ?? "";
  let connection: NativeConnection;
  try {
    connection = await NativeConnection.connect({ address });
  } catch (error) {
    deps.log.error(`No Temporal server answers at ${address}. Start the dev stack (npx attune dev) or set TEMPORAL_ADDRESS.`, {
      cause: String(error),
    });
    await close();
    return 3;
  }
  try {
    const worker = await create({ connection, namespace, queues: prefix === "" ? defaultQueues : queuesFor(prefix), deps });
    deps.log.info(`The ${role} worker polls`, { address, namespace });
    await worker.run();
    return 0;
  } finally {
    await connection.close();
    await close();
  }
}

function deviceCount(text: string | undefined): number {
  const count = Number(text === undefined || text === "" ? "1" : text);
  if (Number.isInteger(count) && count >= 1 && count <= 64) return count;
  throw new Error(`ATTUNE_DEVICES is ${JSON.stringify(text)}; give the number of jobs this node may run at a time`);
}

process.exitCode = await main(process.argv[2]).catch((error: unknown) => {
  if (error instanceof StoreError) {
    process.stderr.write(`worker: ${error.message}\n`);
    return error.kind === "address" ? 2 : 3;
  }
  process.stderr.write(`worker: ${error instanceof Error ? (error.stack ?? error.message) : String(error)}\n`);
  return 1;
});
