import { readdir, readFile } from "node:fs/promises";

/** A process named for good: its number alone is used again by the kernel, number and start time together are not. */
export interface ProcessId {
  readonly pid: number;
  /** Field 22 of /proc/<pid>/stat: clock ticks after boot. */
  readonly startTime: number;
}

interface Row extends ProcessId {
  readonly state: string;
  readonly group: number;
}

/** Set in a job's environment: whatever the job forks inherits them, even after `setsid`. */
export const marks = {
  /** The job's root folder. */
  job: "ATTUNE_JOB",
  /** One start of it. */
  start: "ATTUNE_JOB_START",
} as const;

/** The process's row, or null when there is none; a zombie counts as gone, it holds neither locks nor memory. */
async function row(pid: number): Promise<Row | null> {
  let stat: string;
  try {
    stat = await readFile(`/proc/${pid}/stat`, "utf8");
  } catch {
    return null;
  }
  // The command's name (field 2) stands in parentheses and may hold spaces and parentheses itself.
  const fields = stat.slice(stat.lastIndexOf(")") + 2).split(" ");
  const state = fields[0] ?? "";
  return state === "Z" || state === "X" ? null : { pid, state, group: Number(fields[2]), startTime: Number(fields[19]) };
}

export async function startTimeOf(pid: number): Promise<number | null> {
  return (await row(pid))?.startTime ?? null;
}

export async function isAlive({ pid, startTime }: ProcessId): Promise<boolean> {
  return (await startTimeOf(pid)) === startTime;
}

type Mark = (typeof marks)[keyof typeof marks];

/** Every live process whose mark passes the test, and the rest of the groups that such a process leads. */
export async function markedProcesses(mark: Mark, test: (value: string) => boolean): Promise<readonly ProcessId[]> {
  const rows = (await Promise.all((await allPids()).map(row))).filter((found) => found !== null);
  const marked = new Set<number>();
  await Promise.all(
    rows.map(async ({ pid }) => {
      const value = await markOf(pid, mark);
      if (value !== null && test(value)) marked.add(pid);
    }),
  );
  // A group is the job's own only when its leader is; nothing else may be swept along.
  const groups = new Set(rows.filter(({ pid, group }) => pid === group && marked.has(pid)).map(({ group }) => group));
  return rows.filter(({ pid, group }) => marked.has(pid) || groups.has(group));
}

async function allPids(): Promise<readonly number[]> {
  return (await readdir("/proc")).filter((name) => /^\d+$/.test(name)).map(Number);
}

/** The mark's values over all processes. */
export async function markedValues(mark: Mark): Promise<readonly string[]> {
  const values = await Promise.all((await allPids()).map(async (pid) => markOf(pid, mark)));
  return values.filter((value) => value !== null);
}

/** The mark's value in a process's environment; null without one. */
export async function markOf(pid: number, mark: Mark): Promise<string | null> {
  const found = (await environmentOf(pid)).find((variable) => variable.startsWith(`${mark}=`));
  return found?.slice(mark.length + 1) ?? null;
}

/** Program and arguments; empty when the process is gone. */
export async function commandOf(pid: number): Promise<readonly string[]> {
  try {
    return (await readFile(`/proc/${pid}/cmdline`, "utf8")).split("\0");
  } catch {
    return [];
  }
}

async function environmentOf(pid: number): Promise<readonly string[]> {
  try {
    return (await readFile(`/proc/${pid}/environ`, "utf8")).split("\0");
  } catch {
    return [];
  }
}

/** Sends a signal to a process that may have gone meanwhile. */
export async function signalProcess(target: ProcessId, signal: NodeJS.Signals): Promise<void> {
  if (!(await isAlive(target))) return;
  try {
    process.kill(target.pid, signal);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== "ESRCH") throw error;
  }
}
