import { readdirSync, readFileSync } from "node:fs";

/** Requests that a teacher answered, from its log. */
export interface Asked {
  readonly requests: number;
  /** From the first request's begin to the last one's answer, s. */
  readonly seconds: number;
  /** Requests open at a time on average, between the first and the last. */
  readonly meanInFlight: number;
}

/** Reads the lines of a rehearsal log from byte `from` on. */
export function readAsked(log: string, from: number): Asked {
  const lines = readFileSync(log)
    .subarray(from)
    .toString("utf8")
    .split("\n")
    .filter((line) => line !== "")
    .map((line) => JSON.parse(line) as { at: string; ms: number });
  let [first, last] = [Infinity, 0];
  for (const { at, ms } of lines) {
    const end = Date.parse(at);
    first = Math.min(first, end - ms);
    last = Math.max(last, end);
  }
  const seconds = (last - first) / 1000;
  return { requests: lines.length, seconds, meanInFlight: lines.reduce((sum, { ms }) => sum + ms, 0) / 1000 / seconds };
}

export interface Used {
  /** Processor time, s. */
  readonly cpu: number;
  /** Largest resident size so far, MB. */
  readonly peak: number;
}

/** What a process and its children used so far; zeros for one that is gone. Linux only. */
export function usedBy(pid: number): Used {
  try {
    const stat = readFileSync(`/proc/${pid}/stat`, "utf8");
    const fields = stat.slice(stat.lastIndexOf(")") + 2).split(" ");
    // utime and stime, in ticks of 1/100 s (USER_HZ).
    const cpu = (Number(fields[11]) + Number(fields[12])) / 100;
    const peak = Number(/^VmHWM:\s+(\d+) kB/m.exec(readFileSync(`/proc/${pid}/status`, "utf8"))?.[1] ?? 0) / 1024;
    return { cpu, peak };
  } catch {
    return { cpu: 0, peak: 0 };
  }
}

/** Resident size of a process now, MB; 0 for one that is gone. Linux only. */
export function residentMb(pid: number): number {
  try {
    return Number(/^VmRSS:\s+(\d+) kB/m.exec(readFileSync(`/proc/${pid}/status`, "utf8"))?.[1] ?? 0) / 1024;
  } catch {
    return 0;
  }
}

/** The file system that a path lies on, from the longest mount point above it. */
export function fileSystemOf(path: string): string {
  const mounts = readFileSync("/proc/mounts", "utf8")
    .split("\n")
    .map((line) => line.split(" "))
    .filter(([, point]) => point !== undefined && (path === point || path.startsWith(point === "/" ? "/" : `${point}/`)))
    .toSorted(([, a = ""], [, b = ""]) => b.length - a.length);
  return mounts[0]?.[2] ?? "unknown";
}

/** The only file of a folder whose name fits. */
export function fileIn(folder: string, pattern: RegExp): string {
  const found = readdirSync(folder, { recursive: true, encoding: "utf8" }).filter((name) => pattern.test(name));
  if (found.length === 0) throw new Error(`${folder} has no file like ${pattern.source}`);
  return `${folder}/${found[0]}`;
}
