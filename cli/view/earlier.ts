import type { Resolution } from "../config/resolve.ts";
import { usageError } from "../errors.ts";
import type { Output } from "../output.ts";
import type { Stores } from "../project.ts";
import { type Earlier, earlierRuns, extended, rereadUnits } from "../server/earlier.ts";
import { knownRuns } from "../server/runs.ts";
import { differencesText } from "./differences.ts";
import { count } from "./table.ts";

/**
 * Same name, other digest: another run. What differs from the newest one is shown, or from the one that it only adds to.
 * @throws CliError (exit 2) where it was to extend an earlier run, and none is only added to
 */
export async function sayEarlier(
  stores: Stores,
  resolution: Resolution,
  { output, extend }: { readonly output: Output; readonly extend: boolean },
): Promise<void> {
  const runs = await knownRuns(stores.records);
  const newest = runs.find(({ run: { name } }) => name === resolution.resolved.experiment.name);
  if (newest === undefined && extend) throw usageError(`Nothing of this name was run here: run it without --extend.`);
  if (newest === undefined || newest.run.digest === resolution.digest) return;
  const earlier = await earlierRuns(stores, runs, resolution);
  const base = extended(earlier);
  if (base === null && extend) throw usageError(notExtended(closest(earlier)));
  const shown = base ?? earlier[0];
  if (shown === undefined) return;
  output.say(base === null ? `Another run than ${shown.known.workflowId}:` : `Extends ${shown.known.workflowId}:`);
  output.say(shown.differences === null ? "  (its configuration is no longer there)" : differencesText(shown.differences));
  if (base !== null) output.say(await reuseText(stores, base));
}

/** The earlier run that the fewest changes stand between. */
function closest(earlier: readonly Earlier[]): Earlier | undefined {
  return earlier.filter(({ differences }) => differences !== null).toSorted((a, b) => a.beyond.length - b.beyond.length)[0];
}

function notExtended(earlier: Earlier | undefined): string {
  if (earlier === undefined)
    return "--extend: no configuration of an earlier run is there to compare with. Run it without --extend.";
  return `--extend: this does more than add contexts, backbones, arms or conversations to ${earlier.known.workflowId}, so little or nothing of it would be reused:\n${differencesText(earlier.beyond)}\nUndo that, or run it without --extend.`;
}

async function reuseText({ records }: Stores, base: Earlier): Promise<string> {
  const parts: string[] = [];
  for (const stage of ["converse", "steer", "evaluate"]) {
    const units = await rereadUnits(records, base, stage);
    if (units > 0) parts.push(`${stage} ${count(units)}`);
  }
  const read = parts.length === 0 ? "" : `Its finished conversations are read again, not asked for (${parts.join(", ")}). `;
  return `${read}A job on the same data is not run again.`;
}
