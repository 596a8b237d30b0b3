import type { RunCalls } from "../../platform/calls/cache.ts";
import { nearest } from "../config/nearest.ts";
import { usageError } from "../errors.ts";
import type { OpenWork } from "../server/open.ts";
import { type KnownRun, matching } from "../server/runs.ts";

/** What the call store holds of a run, under the name that people and `--run` use. */
export interface RecordedRun extends RunCalls {
  /** `quickstart/cd7ce8eaf81f`, for a night with `@<night>`; the digest alone where the run is not known. */
  readonly name: string;
  /** Whether this data directory has launched it. */
  readonly known: boolean;
}

export interface Selectors {
  readonly run?: string;
  /** Milliseconds. */
  readonly olderThan?: number;
  readonly unknown?: boolean;
}

export function nameRuns(recorded: readonly RunCalls[], known: readonly KnownRun[]): readonly RecordedRun[] {
  const names = new Map(known.map(({ run }) => [run.digest, run.name]));
  return recorded.map((calls) => {
    const [digest = "", night] = calls.run.split("@");
    const name = names.get(digest);
    const words = [...(name === undefined ? [] : [name]), digest.slice(0, 12)].join("/");
    return { ...calls, name: night === undefined ? words : `${words}@${night}`, known: name !== undefined };
  });
}

/**
 * The recorded runs that all given selectors name.
 * @throws CliError (exit 2) when `run` names none
 */
export function select(
  recorded: readonly RecordedRun[],
  known: readonly KnownRun[],
  { run, olderThan, unknown }: Selectors,
  now: number,
): readonly RecordedRun[] {
  const wanted = run === undefined ? recorded : [findRecorded(recorded, known, run)];
  return wanted
    .filter((calls) => unknown !== true || !calls.known)
    .filter(({ lastUsedAt }) => olderThan === undefined || now - Date.parse(lastUsedAt) > olderThan);
}

/** By name (its newest run), by name and digest as `cache ls` shows them, or by the beginning of a digest. */
function findRecorded(recorded: readonly RecordedRun[], known: readonly KnownRun[], wanted: string): RecordedRun {
  const launched = matching(known, wanted)?.run.digest;
  const found =
    recorded.find(({ name }) => name === wanted) ??
    recorded.find(({ run }) => run === launched) ??
    recorded.find(({ run }) => wanted.length >= leastDigits && run.startsWith(wanted));
  if (found !== undefined) return found;
  const names = recorded.map(({ name }) => name);
  const meant = nearest(wanted, [...names, ...names.map((name) => name.split("/")[0] ?? "")]);
  throw usageError(
    `No calls of ${wanted} are recorded here; ${meant === undefined ? "npx attune cache ls shows the runs that have some" : `did you mean ${meant}?`}`,
  );
}

const leastDigits = 6;

export function isOpen({ run }: RunCalls, { digests, night }: OpenWork): boolean {
  return run.includes("@") ? night : digests.has(run.slice(0, 12));
}
