import { fileURLToPath } from "node:url";
import { basename, dirname, isAbsolute } from "node:path";
import { execa } from "execa";
import { exitCodes } from "../../contract/job-spec.ts";
import { jobEnvironment } from "./environment.ts";
import { deviceLocks, jobRoot, listJobs, readJson } from "./folder.ts";
import type { JobPlace } from "./folder.ts";
import type { EnsureRequest, Ensured, JobExit, JobStatus, Launcher, RunningJob } from "./launcher.ts";
import { commandOf, isAlive, markedProcesses, markedValues, markOf, marks, signalProcess } from "./processes.ts";
import type { ProcessId } from "./processes.ts";
import { forgetStart, listStarts, newestLog, newStart, readStart, startLog, startOf } from "./starts.ts";

const pollMs = 50;
/** A shim writes the end of its job within this time, or it was killed too. */
const recordMs = 3000;
/** A job locks and names itself within this time of its start; importing Python on a busy machine takes seconds. */
const lockMs = 60_000;

const shim = fileURLToPath(new URL("shim.ts", import.meta.url));

export interface ProcessLauncherSettings {
  /** Absolute: jobs run elsewhere. */
  readonly home: string;
  /** The entry, to which `run …` and `probe …` are appended: `[python, "-m", "trainer.entry"]`. */
  readonly command: readonly string[];
  /** Where the command runs. */
  readonly directory: string;
  readonly env: Readonly<Record<string, string | undefined>>;
  readonly now: () => Date;
}

type Tried =
  | { readonly state: "running"; readonly running: RunningJob }
  | { readonly state: "ended"; readonly exit: JobExit }
  | { readonly state: "job-held" }
  | { readonly state: "device-held" };

/** Jobs as process groups of this machine, which live on when the worker dies. */
export function processLauncher(settings: ProcessLauncherSettings): Launcher {
  const { home, directory } = settings;
  if (!isAbsolute(home)) throw new Error(`The data directory is given as ${home}; jobs need an absolute path.`);
  const [program = "", ...prefix] = settings.command;

  /** Who holds the job's lock: the entry is asked, since only it locks. */
  async function holder(place: JobPlace): Promise<{ held: boolean; pid: number | null; startTime: number | null }> {
    const { exitCode, stdout, stderr } = await execa(program, [...prefix, "probe", "--job-lock", place.lock], {
      cwd: directory,
      env: jobEnvironment("score", settings.env),
      extendEnv: false,
      reject: false,
    });
    if (exitCode !== exitCodes.done && exitCode !== exitCodes.held) {
      throw new Error(
        `The trainer's probe of ${place.lock} ended with ${exitCode ?? "no exit code"}: ${stderr.slice(-500)}. Check its environment with \`attune doctor\`.`,
      );
    }
    const answer = parseObject(stdout);
    const number = (name: string) => (typeof answer?.[name] === "number" ? answer[name] : null);
    return { held: exitCode === exitCodes.held, pid: number("pid"), startTime: number("startTime") };
  }

  async function find(place: JobPlace): Promise<RunningJob | null> {
    const { held, pid, startTime } = await holder(place);
    const own = await readRun(place);
    return held && own !== null && own.pid === pid && own.startTime === startTime ? own : null;
  }

  async function tryStart({ place, kind }: EnsureRequest, device: string): Promise<Tried> {
    const start = await newStart(place, settings.now());
    const id = basename(start);
    const job = [
      "run",
      "--folder",
      place.folder,
      "--job-lock",
      place.lock,
      "--device",
      device,
      "--device-locks",
      deviceLocks(home),
    ];
    const started = execa(process.execPath, [shim, start, program, ...prefix, ...job], {
      cwd: directory,
      env: { ...jobEnvironment(kind, settings.env), [marks.job]: place.root, [marks.start]: start },
      extendEnv: false,
      detached: true,
      cleanup: false,
      stdio: "ignore",
      reject: false,
    });
    started.nodeChildProcess.unref();
    const shimGone = started.then(() => true as const);
    for (const until = Date.now() + lockMs; Date.now() < until;) {
      const record = await readStart(place, id);
      if (record?.exit?.exitCode === exitCodes.held) {
        const held = heldBy(startLog(place, id));
        await forgetStart(place, id);
        return { state: held === "device" ? "device-held" : "job-held" };
      }
      if (record?.exit) return { state: "ended", exit: record.exit };
      const running = await readRun(place);
      if (record !== null && running !== null && running.pid === record.pid && running.startTime === record.startTime) {
        return { state: "running", running };
      }
      if ((await Promise.race([shimGone, pause(pollMs)])) === true && (await readStart(place, id))?.exit == null) {
        return { state: "ended", exit: { ...unseen, startError: "its supervisor ended at once" } };
      }
    }
    await end(async () => markedProcesses(marks.start, (other) => other === start), 0);
    return { state: "ended", exit: { ...unseen, start: id, startError: `it took no lock within ${lockMs / 1000} s` } };
  }

  /** Asks all that `find` finds to end, and ends by force what is left after `graceMs`; true when there was something. */
  async function end(find: () => Promise<readonly ProcessId[]>, graceMs: number): Promise<boolean> {
    let left = await find();
    if (left.length === 0) return false;
    await Promise.all(left.map((target) => signalProcess(target, "SIGTERM")));
    for (const asked = Date.now(); left.length > 0; left = await find()) {
      const late = Date.now() - asked - graceMs;
      // The shim goes by itself once it has recorded the job's end; only if it doesn't is it killed too.
      const targets = late < 0 ? [] : late < recordMs ? await withoutShims(left) : left;
      await Promise.all(targets.map((target) => signalProcess(target, "SIGKILL")));
      await pause(pollMs);
    }
    return true;
  }

  const stop = (job: string, graceMs: number) =>
    end(async () => markedProcesses(marks.job, (root) => root === jobRoot(home, job)), graceMs);
  const stopStarts = (folder: string, graceMs: number) =>
    end(async () => markedProcesses(marks.start, (start) => dirname(start) === folder), graceMs);
  const stopFence = (place: JobPlace, graceMs: number) => stopStarts(place.starts, graceMs);

  async function ensure(request: EnsureRequest): Promise<Ensured> {
    const { place } = request;
    for (const until = Date.now() + lockMs; Date.now() < until; await pause(pollMs)) {
      const { held, pid, startTime } = await holder(place);
      const own = await readRun(place);
      if (held && own !== null && own.pid === pid && own.startTime === startTime)
        return { state: "running", running: own, adopted: true };
      if (held) {
        const start = pid === null ? null : await markOf(pid, marks.start);
        // A run of this fence is still about to name itself; a run of another one must make room.
        if (start !== null && dirname(start) !== place.starts) await stopStarts(dirname(start), stopGraceMs);
        continue;
      }
      await request.beforeStart();
      const tried = await onFreeDevice(request);
      if (tried.state === "device-held") return { state: "busy" };
      if (tried.state !== "job-held") return tried.state === "running" ? { ...tried, adopted: false } : tried;
    }
    throw new Error(
      `The lock of job ${place.job} (${place.lock}) stays held by a process that is not a run of it; end that process.`,
    );
  }

  async function onFreeDevice(request: EnsureRequest): Promise<Tried> {
    for (const device of request.devices) {
      const tried = await tryStart(request, device);
      if (tried.state !== "device-held") return tried;
    }
    return { state: "device-held" };
  }

  async function status(place: JobPlace, running: RunningJob): Promise<JobStatus> {
    if (await isAlive(running)) return { state: "running" };
    for (const until = Date.now() + recordMs; Date.now() < until; await pause(pollMs)) {
      const start = await startOf(place, running);
      if (start?.exit) return { state: "ended", exit: start.exit };
    }
    return { state: "ended", exit: { ...unseen, start: (await startOf(place, running))?.id ?? null } };
  }

  async function starts(place: JobPlace): Promise<readonly string[]> {
    const run = await readRun(place);
    const ran = (await listStarts(place)).filter(({ exit, pid, startTime }) =>
      exit === null ? run !== null && pid === run.pid && startTime === run.startTime : exit.exitCode !== exitCodes.held,
    );
    return ran.map(({ id }) => id);
  }

  async function lastExit(place: JobPlace): Promise<JobExit | null> {
    return (await listStarts(place)).at(-1)?.exit ?? null;
  }

  async function live(): Promise<readonly string[]> {
    const roots = new Set(await markedValues(marks.job));
    return (await listJobs(home)).filter((job) => roots.has(jobRoot(home, job)));
  }

  return { find, ensure, status, starts, lastExit, logs: newestLog, live, stop, stopFence };
}

/** The time a job of a lower fence has to write its checkpoint. */
const stopGraceMs = 20_000;

const unseen: JobExit = { start: null, exitCode: null, signal: null, startError: null, memoryKill: false, seconds: null };

async function withoutShims(processes: readonly ProcessId[]): Promise<readonly ProcessId[]> {
  const commands = await Promise.all(processes.map(({ pid }) => commandOf(pid)));
  return processes.filter((_, index) => commands[index]?.includes(shim) !== true);
}

/** run.json: written by the job once it holds its locks. */
async function readRun(place: JobPlace): Promise<RunningJob | null> {
  const found = (await readJson(`${place.folder}/run.json`)) as Readonly<Record<string, unknown>> | undefined;
  const { pid, startTime, device, startedAt } = found ?? {};
  return typeof pid === "number" && typeof startTime === "number" && typeof device === "string" && typeof startedAt === "string"
    ? { pid, startTime, device, startedAt }
    : null;
}

/** Which lock the entry found held, by its JSON line. */
function heldBy(log: string): unknown {
  return log
    .split("\n")
    .map(parseObject)
    .findLast((line) => line?.["held"] !== undefined)?.["held"];
}

function parseObject(text: string): Readonly<Record<string, unknown>> | null {
  try {
    const value: unknown = JSON.parse(text);
    return typeof value === "object" && value !== null ? (value as Readonly<Record<string, unknown>>) : null;
  } catch {
    return null;
  }
}

const pause = (ms: number) => new Promise<void>((resolve) => setTimeout(resolve, ms));
