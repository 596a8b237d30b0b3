/**
 * `node shim.ts START COMMAND…`: runs one job as the leader of its process group and outlives the worker that started it.
 * It keeps the job's log within bounds and writes into `START.json` how the job ended, which only a parent learns.
 * It holds no lock: those are the job's own.
 */
import { spawn } from "node:child_process";
import { readFileSync, renameSync, writeFileSync } from "node:fs";
import { CappedLog } from "./capped-log.ts";
import { markedProcesses, marks, signalProcess, startTimeOf } from "./processes.ts";

/** What is still in the pipe when the job has ended is read for this long; a grandchild may hold it open for ever. */
const drainMs = 50;

const [start, command, ...commandArguments] = process.argv.slice(2);
if (start === undefined || command === undefined) {
  process.stderr.write("usage: node shim.ts START COMMAND…\n");
  process.exit(64);
}

// A stop is meant for the job; this process ends after it, with the job's end on record.
for (const signal of ["SIGTERM", "SIGINT", "SIGHUP"] as const) process.on(signal, () => undefined);

const log = new CappedLog(`${start}.log`);
const killsBefore = memoryKills();
let known: Record<string, unknown> = { startedAt: new Date().toISOString() };
const child = spawn(command, commandArguments, { stdio: ["ignore", "pipe", "pipe"] });
for (const stream of [child.stdout, child.stderr]) stream.on("data", (chunk: Buffer) => log.write(chunk));

child.on("spawn", () => {
  void startTimeOf(child.pid ?? 0).then((startTime) =>
    known["endedAt"] === undefined ? record({ pid: child.pid, startTime }) : undefined,
  );
});
child.on("error", (error) => {
  record({ endedAt: new Date().toISOString(), exitCode: null, signal: null, error: error.message });
  process.exit(1);
});
child.on("exit", (exitCode, signal) => {
  setTimeout(() => {
    for (const stream of [child.stdout, child.stderr]) stream.destroy();
    log.close();
    const end = { endedAt: new Date().toISOString(), exitCode, signal, memoryKills: memoryKills() - killsBefore };
    void endLeftovers(start).finally(() => {
      record(end);
      process.exit(0);
    });
  }, drainMs);
});

function record(fields: Readonly<Record<string, unknown>>): void {
  known = { ...known, ...fields };
  writeFileSync(`${start}.json.tmp`, JSON.stringify(known));
  renameSync(`${start}.json.tmp`, `${start}.json`);
}

/** Processes the kernel has killed for memory since boot; 0 where it doesn't say. */
function memoryKills(): number {
  try {
    return Number(/^oom_kill (\d+)$/m.exec(readFileSync("/proc/vmstat", "utf8"))?.[1] ?? 0);
  } catch {
    return 0;
  }
}

/** What the job forked and left behind ends with it. */
async function endLeftovers(mine: string): Promise<void> {
  const left = (await markedProcesses(marks.start, (start) => start === mine)).filter(({ pid }) => pid !== process.pid);
  await Promise.all(left.map((leftover) => signalProcess(leftover, "SIGKILL")));
}
