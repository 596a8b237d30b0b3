import type { CallCache, Removal } from "../../platform/calls/cache.ts";
import { isOpen, nameRuns, type RecordedRun, select, type Selectors } from "../cache/recorded.ts";
import { CliError, precheckError, usageError } from "../errors.ts";
import { commandOutput } from "../output.ts";
import { openProject, placeOfCalls, type Project, withOpenStores } from "../project.ts";
import { withClient } from "../server/connect.ts";
import { type OpenWork, openWork } from "../server/open.ts";
import { type KnownRun, knownRuns } from "../server/runs.ts";
import { bytes } from "../view/bytes.ts";
import { recordedText, removalText } from "../view/cache.ts";

interface Options {
  readonly json?: boolean;
}

/** Workers wait 30 s for the file before they give a call up; writing so much anew takes about 10 s. */
const mostBesideWorkers = 1e9;

/** `attune cache ls`: recorded calls by run, the last used first. */
export async function ls(options: Options): Promise<void> {
  await withCache(options, [], async ({ cache, recorded, place }) => {
    const { bytes } = await cache.size();
    commandOutput(options).result(recorded, recordedText(recorded, { place, bytes, now: Date.now() }));
  });
}

interface PruneOptions extends Options, Selectors {
  readonly dryRun?: boolean;
  readonly yes?: boolean;
}

/** `attune cache prune`: removes the recorded calls of the runs that are named, then gives the file's free space back. */
export async function prune(options: PruneOptions): Promise<void> {
  if (options.run === undefined && options.olderThan === undefined && options.unknown !== true)
    throw usageError(
      "Say which runs' calls to remove: --run RUN, --older-than 30d, --unknown. npx attune cache ls shows the runs.",
    );
  const output = commandOutput(options);
  const nothing = { runs: [], open: [], calls: 0, removed: false };
  await withCache(options, nothing, async ({ project, cache, recorded, known, place }) => {
    const selected = select(recorded, known, options, Date.now());
    const server = await onServer(project);
    const open = server === null ? [] : selected.filter((run) => isOpen(run, server));
    if (options.run !== undefined && open[0] !== undefined)
      throw precheckError(`${open[0].name} is open on the server and needs its calls: wait for its end, or cancel it first.`);
    const runs = selected.filter((run) => !open.includes(run));
    const inUse = server === null ? [] : recorded.filter((run) => isOpen(run, server));
    const removal = await cache.mark({ runs: runs.map(({ run }) => run), open: inUse.map(({ run }) => run) });
    const record = named({ ...removal, runs: runs.map(({ name }) => name), open: open.map(({ name }) => name) }, recorded);
    const summary = removalText(record, runs, Date.now());
    const wasted = (await cache.size()).free > 0;
    if (options.dryRun === true || options.yes !== true || (runs.length === 0 && !wasted)) {
      output.result({ ...record, removed: false }, summary);
      if (runs.length > 0 && options.dryRun !== true)
        throw usageError("Nothing was removed. The same command with --yes removes them.");
      return;
    }
    output.say(summary);
    const { notCompacted, freedBytes, bytesNow } = await takeAway(cache, server === null || anyOpen(server));
    const end = notCompacted ?? `${place} holds ${bytes(bytesNow)} now; ${bytes(freedBytes)} were freed.`;
    const removed = runs.length > 0;
    output.result({ ...record, removed, freedBytes, bytes: bytesNow, notCompacted }, removed ? `Removed. ${end}` : end);
  });
}

async function takeAway(cache: CallCache, besideWorkers: boolean) {
  const before = (await cache.size()).bytes;
  await cache.remove();
  const notCompacted = await compact(cache, besideWorkers);
  const bytesNow = (await cache.size()).bytes;
  return { notCompacted, freedBytes: before - bytesNow, bytesNow };
}

const anyOpen = ({ digests, night }: OpenWork) => digests.size > 0 || night;

/** Why the file was not made smaller; null: it was. */
async function compact(cache: CallCache, besideWorkers: boolean): Promise<string | null> {
  const { bytes: before, free } = await cache.size();
  const kept = `${bytes(free)} in the file are free, and new calls fill them first`;
  if (besideWorkers && before - free > mostBesideWorkers)
    return `The file was not made smaller, since workers may be writing and would wait too long: ${kept}. With no run open the next prune does it.`;
  try {
    return (await cache.compact()) ? null : "The file gets smaller as soon as no worker reads from its log.";
  } catch (error) {
    return `The file could not be made smaller (${error instanceof Error ? error.message : String(error)}): ${kept}.`;
  }
}

/** Runs of others under their names. */
function named<T extends Removal>(removal: T, recorded: readonly RecordedRun[]): T {
  const names = new Map(recorded.map(({ run, name }) => [run, name]));
  return { ...removal, shared: removal.shared.map(({ run, calls }) => ({ run: names.get(run) ?? run, calls })) };
}

/** null, and a word about it, when no server answers. */
async function onServer(project: Project): Promise<OpenWork | null> {
  try {
    return await withClient(project, openWork);
  } catch (error) {
    if (!(error instanceof CliError)) throw error;
    process.stderr.write(`attune: ${error.message} So no run is taken for open.\n`);
    return null;
  }
}

interface Opened {
  readonly project: Project;
  /** The file, or where the objects lie. */
  readonly place: string;
  readonly cache: CallCache;
  readonly recorded: readonly RecordedRun[];
  readonly known: readonly KnownRun[];
}

async function withCache(options: Options, nothing: unknown, work: (opened: Opened) => Promise<void>): Promise<void> {
  const project = await openProject();
  const place = placeOfCalls(project);
  await withOpenStores(project, async ({ openCallCache, records }) => {
    const cache = await openCallCache();
    if (cache === null) {
      commandOutput(options).result(nothing, `No calls are recorded: there is no ${place}.`);
      return;
    }
    try {
      const known = await knownRuns(records);
      await work({ project, place, cache, known, recorded: nameRuns(await cache.runs(), known) });
    } finally {
      cache.close();
    }
  });
}
