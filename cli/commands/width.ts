import { resolvedExperiment } from "../../configs/schema/resolved.ts";
import { readTuning, type Tuning, tuningKey } from "../../platform/llm/shares/tuning.ts";
import type { Records } from "../../platform/records/records.ts";
import { updateRecord } from "../../platform/records/update.ts";
import { nearest } from "../config/nearest.ts";
import { usageError } from "../errors.ts";
import { commandOutput } from "../output.ts";
import { openProject, type Stores, withStores } from "../project.ts";
import { limitsSet, providersNow, providersText } from "../server/providers.ts";
import { knownRuns } from "../server/runs.ts";

interface Options {
  readonly json?: boolean;
  readonly calls?: string;
  readonly requestsPerMinute?: string;
  readonly tokensPerMinute?: string;
  readonly reset?: boolean;
}

/**
 * `attune width [PROVIDER]`: calls in flight by provider, and limits set over those of the configurations. They hold for all runs of this data
 * directory from the workers' next look on, within a second or two, until they are reset.
 */
export async function width(provider: string | undefined, options: Options): Promise<void> {
  const output = commandOutput(options);
  const given = setBy(options);
  if (options.reset === true && given !== null) throw usageError("--reset takes every set limit away: give no other with it.");
  if (provider === undefined && (given !== null || options.reset === true))
    throw usageError("Name the provider whose limits are to change: npx attune width PROVIDER …");
  const project = await openProject();
  await withStores(project, async (stores) => {
    const { records } = stores;
    if (provider !== undefined) await mustBeKnown(stores, provider);
    if (provider !== undefined && options.reset === true) await records.remove(tuningKey(provider));
    if (provider !== undefined && given !== null) await set(records, provider, given);
    const [uses, tunings] = [await providersNow(records, Date.now()), await limitsSet(records)];
    const wanted = ({ provider: name }: { readonly provider: string }) => provider === undefined || name === provider;
    const shown = { providers: uses.filter(wanted), set: tunings.filter(wanted) };
    const text = providersText(shown.providers, shown.set);
    output.result(shown, text === "" ? "No worker calls a provider now, and no limit is set over the configured ones." : text);
  });
}

/** Null: nothing is to be set. */
function setBy({ calls, requestsPerMinute, tokensPerMinute }: Options): Omit<Tuning, "at"> | null {
  const change = {
    ...(calls === undefined ? {} : { calls: whole(calls, "--calls") }),
    ...(requestsPerMinute === undefined ? {} : { requestsPerMinute: wholeOrNone(requestsPerMinute, "--requests-per-minute") }),
    ...(tokensPerMinute === undefined ? {} : { tokensPerMinute: wholeOrNone(tokensPerMinute, "--tokens-per-minute") }),
  };
  return Object.keys(change).length === 0 ? null : change;
}

/** What was set before and is not named stays. */
async function set(records: Records, provider: string, change: Omit<Tuning, "at">): Promise<void> {
  const at = new Date().toISOString();
  await updateRecord<Tuning>(records, tuningKey(provider), (stored) => ({ ...readTuning(stored), ...change, at }));
}

/** A provider is known by a worker that calls it, by a limit that was set, or by a run that was launched here. */
async function mustBeKnown({ artifacts, records }: Stores, provider: string): Promise<void> {
  const names = new Set([...(await providersNow(records, Date.now())), ...(await limitsSet(records))].map((use) => use.provider));
  for (const { run } of await knownRuns(records)) {
    if (names.has(provider)) return;
    if (!(await artifacts.verify(run.config))) continue;
    const config = resolvedExperiment.safeParse(JSON.parse((await artifacts.read(run.config)).toString("utf8")));
    for (const name of Object.keys(config.data?.experiment.providers ?? {})) names.add(name);
  }
  if (names.has(provider)) return;
  const meant = nearest(provider, [...names]);
  const hint =
    names.size === 0
      ? "nothing was run from this data directory yet"
      : meant === undefined
        ? `there are ${[...names].join(", ")}`
        : `did you mean ${meant}?`;
  throw usageError(`No provider ${provider} is known here; ${hint}`);
}

function whole(text: string, flag: string): number {
  const value = Number(text);
  if (!/^\d+$/.test(text) || value < 1) throw usageError(`${flag} is ${text}; give a whole number from 1.`);
  return value;
}

const wholeOrNone = (text: string, flag: string) => (text === "none" ? null : whole(text, flag));
