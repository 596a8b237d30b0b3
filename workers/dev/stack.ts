import { mkdir } from "node:fs/promises";
import { join } from "node:path";
import { Connection } from "@temporalio/client";
import { defaultQueues, type Queues, queuesFor } from "../../contract/queues.ts";
import { processLauncher } from "../../platform/jobs/process.ts";
import { type ProcessId, signalProcess, startTimeOf } from "../../platform/jobs/processes.ts";
import { roles, workerCommand } from "../command.ts";
import { type Child, superviseChild } from "./child.ts";
import { type DevStack, leftovers, processIdOf, readDevStack, removeDevStack, writeDevStack } from "./dev-file.ts";
import { prepareNamespace } from "./namespace.ts";
import { freePort } from "./ports.ts";
import { startRehearsal } from "./rehearsal.ts";
import { temporalBinary } from "./temporal-binary.ts";
import { queuesWithoutWorker } from "./pollers.ts";
import { venvFolder } from "./venv.ts";

export interface StackSettings {
  readonly home: string;
  readonly projectRoot: string;
  readonly env: Readonly<Record<string, string | undefined>>;
  /** A line of a child, or of the stack itself. */
  readonly onLine: (name: string, line: string) => void;
  /** Gives the start up: what was started is ended again. */
  readonly signal: AbortSignal;
}

/** A development stack that runs: every part a process on loopback. */
export interface Stack {
  readonly addresses: DevStack;
  /** Workers first, then their jobs with a checkpoint, then teacher and server. No process is left. */
  stop(): Promise<void>;
}

/** Another stack runs over the same data directory. */
export class StackRunsError extends Error {
  override readonly name = "StackRunsError";
  readonly running: DevStack;
  constructor(stack: DevStack) {
    super(
      `A dev stack runs here already (process ${stack.supervisor.pid}): server ${stack.temporalAddress}, UI ${stack.uiUrl}. End it with Ctrl-C where it runs.`,
    );
    this.running = stack;
  }
}

const serverPort = 7233;
const uiPort = 8233;
const serverStartMs = 30_000;
const workersStartMs = 120_000;
const workerGraceMs = 15_000;
const jobGraceMs = 25_000;

/**
 * Starts Temporal's dev server, the rehearsal teacher and the workers.
 * @throws StackRunsError when one runs already; an Error that names the part that could not be started
 */
export async function startStack(settings: StackSettings): Promise<Stack> {
  const { home, projectRoot, onLine } = settings;
  const running = await readDevStack(home);
  if (running !== null) throw new StackRunsError(running);
  await endLeftovers(settings);
  await mkdir(home, { recursive: true });
  const children: Child[] = [];
  const ids: Record<string, ProcessId> = {};
  let write: (() => Promise<void>) | null = null;
  // One write after the other: workers that are killed together start again together.
  let writing = Promise.resolve();
  const remember = (name: string) => (pid: number) => {
    writing = writing
      .then(async () => {
        const startTime = await startTimeOf(pid);
        if (startTime !== null) ids[name] = { pid, startTime };
        await write?.();
      })
      .catch((error: unknown) =>
        onLine("dev", `dev.json could not be written: ${error instanceof Error ? error.message : String(error)}`),
      );
  };

  const stop = async () => {
    await Promise.all(children.filter(({ name }) => isRole(name)).map((child) => child.stop(workerGraceMs)));
    await stopJobs(settings);
    await Promise.all(children.filter(({ name }) => !isRole(name)).map((child) => child.stop(workerGraceMs)));
    write = null;
    await writing;
    await removeDevStack(home);
  };

  try {
    const [port, ui] = [await freePort(serverPort), await freePort(uiPort)];
    const temporalAddress = `127.0.0.1:${port}`;
    const flags = [
      "--ip",
      "127.0.0.1",
      "--port",
      String(port),
      "--ui-port",
      String(ui),
      "--db-filename",
      join(home, "temporal.db"),
      "--log-level",
      "error",
    ];
    const server = superviseChild({
      name: "temporal",
      command: [temporalBinary(settings), "server", "start-dev", ...flags],
      cwd: home,
      env: settings.env,
      restart: true,
      onLine,
      onStart: remember("temporal"),
    });
    children.push(server);
    const namespace = settings.env["TEMPORAL_NAMESPACE"] ?? "default";
    const connection = await connectWhenUp(temporalAddress, server, settings.signal);
    try {
      await prepareNamespace(connection, namespace);
      const teacher = await startRehearsal({ ...settings, onStart: remember("rehearsal") });
      children.push(teacher.child);

      const env = {
        ...settings.env,
        TEMPORAL_ADDRESS: temporalAddress,
        TEMPORAL_NAMESPACE: namespace,
        ATTUNE_HOME: home,
        ATTUNE_REHEARSAL_URL: teacher.url,
        ATTUNE_PYTHON: settings.env["ATTUNE_PYTHON"] ?? join(venvFolder(settings), "bin", "python"),
      };
      for (const role of roles) {
        children.push(
          superviseChild({
            name: role,
            command: workerCommand(projectRoot, role),
            cwd: projectRoot,
            env,
            restart: true,
            onLine,
            onStart: remember(role),
          }),
        );
      }
      const addresses = {
        supervisor: await processIdOf(process.pid),
        temporalAddress,
        uiUrl: `http://127.0.0.1:${ui}`,
        rehearsalUrl: teacher.url,
        startedAt: new Date().toISOString(),
      };
      write = () => writeDevStack(home, { ...addresses, children: { ...ids } });
      await write();
      const prefix = settings.env["ATTUNE_QUEUE_PREFIX"];
      await workersPoll(
        connection,
        namespace,
        prefix === undefined || prefix === "" ? defaultQueues : queuesFor(prefix),
        settings.signal,
      );
      return { addresses: { ...addresses, children: ids }, stop };
    } finally {
      await connection.close();
    }
  } catch (error) {
    await stop();
    throw error;
  }
}

const isRole = (name: string) => roles.some((role) => role === name);

/** A killed supervisor leaves its children behind, with the ports and the database file. */
async function endLeftovers({ home, onLine }: StackSettings): Promise<void> {
  const left = await leftovers(home);
  if (left.length === 0) return;
  onLine("dev", `ending ${left.map(({ name }) => name).join(", ")} of a dev stack that was killed`);
  await Promise.all(left.map((child) => signalProcess(child, "SIGTERM")));
  for (const until = Date.now() + workerGraceMs; (await leftovers(home)).length > 0 && Date.now() < until;) await pause(100);
  await Promise.all((await leftovers(home)).map((child) => signalProcess(child, "SIGKILL")));
}

async function connectWhenUp(address: string, server: Child, signal: AbortSignal): Promise<Connection> {
  let gone = false;
  void server.ended.then(() => (gone = true));
  for (const until = Date.now() + serverStartMs; ; await pause(100)) {
    signal.throwIfAborted();
    try {
      return await Connection.connect({ address, connectTimeout: 1000 });
    } catch (error) {
      if (gone || Date.now() > until)
        throw new Error(
          `The Temporal dev server did not answer at ${address} within ${serverStartMs / 1000} s; its lines above say why.`,
          { cause: error },
        );
    }
  }
}

/** Until every role polls its queue. */
async function workersPoll(connection: Connection, namespace: string, queues: Queues, signal: AbortSignal): Promise<void> {
  for (const until = Date.now() + workersStartMs; ; await pause(500)) {
    signal.throwIfAborted();
    const waiting = await queuesWithoutWorker({ connection, namespace, queues });
    if (waiting.length === 0) return;
    if (Date.now() > until)
      throw new Error(
        `No worker polls ${waiting.join(", ")} after ${workersStartMs / 1000} s; the workers' lines above say why.`,
      );
  }
}

/** Ctrl-C ends jobs too, with a checkpoint; a worker alone would leave them running. */
async function stopJobs({ home, projectRoot, env, onLine }: StackSettings): Promise<void> {
  const launcher = processLauncher({ home, command: [], directory: projectRoot, env, now: () => new Date() });
  const live = await launcher.live();
  if (live.length === 0) return;
  onLine("dev", `ending ${live.join(", ")} with a checkpoint`);
  await Promise.all(live.map((job) => launcher.stop(job, jobGraceMs)));
}

const pause = (ms: number) => new Promise<void>((resolve) => setTimeout(resolve, ms));
