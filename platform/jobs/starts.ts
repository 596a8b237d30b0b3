import { randomUUID } from "node:crypto";
import { mkdir, readdir, rm } from "node:fs/promises";
import { join } from "node:path";
import { readCappedLog } from "./capped-log.ts";
import { readJson } from "./folder.ts";
import type { JobPlace } from "./folder.ts";
import type { JobExit } from "./launcher.ts";
import type { ProcessId } from "./processes.ts";

/** One start of a job, as its shim records it in `starts/<id>.json`. */
export interface Start {
  readonly id: string;
  readonly startedAt: string;
  readonly pid: number | null;
  readonly startTime: number | null;
  /** Null while the job runs, or when its shim was killed with it. */
  readonly exit: JobExit | null;
}

/** A path without its ending for a new start's record and log; names sort by time. */
export async function newStart(place: JobPlace, now: Date): Promise<string> {
  await mkdir(place.starts, { recursive: true });
  return join(place.starts, `${now.toISOString().replaceAll(/[:.]/g, "-")}-${randomUUID().slice(0, 8)}`);
}

/** Starts under this fence, oldest first. */
export async function listStarts(place: JobPlace): Promise<readonly Start[]> {
  const names = await readdir(place.starts).catch(() => []);
  const ids = names.filter((name) => name.endsWith(".json")).map((name) => name.slice(0, -".json".length));
  const starts = await Promise.all(ids.toSorted().map((id) => readStart(place, id)));
  return starts.filter((start) => start !== null);
}

export async function readStart(place: JobPlace, id: string): Promise<Start | null> {
  const found = await readJson(join(place.starts, `${id}.json`));
  if (typeof found !== "object" || found === null) return null;
  const fields = found as Readonly<Record<string, unknown>>;
  const number = (name: string) => (typeof fields[name] === "number" ? fields[name] : null);
  const text = (name: string) => (typeof fields[name] === "string" ? fields[name] : null);
  const startedAt = text("startedAt") ?? "";
  const endedAt = text("endedAt");
  const exit: JobExit | null =
    endedAt === null
      ? null
      : {
          start: id,
          exitCode: number("exitCode"),
          signal: text("signal"),
          startError: text("error"),
          memoryKill: (number("memoryKills") ?? 0) > 0,
          seconds: (Date.parse(endedAt) - Date.parse(startedAt)) / 1000,
        };
  return { id, startedAt, pid: number("pid"), startTime: number("startTime"), exit };
}

/** The start behind a process; null when its shim could not record it. */
export async function startOf(place: JobPlace, { pid, startTime }: ProcessId): Promise<Start | null> {
  const starts = await listStarts(place);
  return starts.findLast((start) => start.pid === pid && start.startTime === startTime) ?? null;
}

/** Removes what a start left that ran nothing: it found the job or its device held. */
export async function forgetStart(place: JobPlace, id: string): Promise<void> {
  const names = await readdir(place.starts).catch(() => []);
  await Promise.all(names.filter((name) => name.startsWith(id)).map((name) => rm(join(place.starts, name), { force: true })));
}

export function startLog(place: JobPlace, id: string): string {
  return readCappedLog(join(place.starts, `${id}.log`));
}

/** What the job printed last: for failures and for people. */
export async function newestLog(place: JobPlace): Promise<string> {
  const newest = (await listStarts(place)).at(-1);
  return newest === undefined ? "" : startLog(place, newest.id);
}
