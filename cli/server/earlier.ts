import { resolvedExperiment } from "../../configs/schema/resolved.ts";
import type { ResolvedExperiment } from "../../configs/schema/resolved.ts";
import { unitRowsPrefix } from "../../contract/places.ts";
import type { RunRef } from "../../contract/units.ts";
import type { Records } from "../../platform/records/records.ts";
import { beyondGrowth } from "../config/growth.ts";
import { type Difference, differences, identity } from "../config/identity.ts";
import type { Resolution } from "../config/resolve.ts";
import type { Stores } from "../project.ts";
import type { KnownRun } from "./runs.ts";

/** An earlier run of the same name with another digest, and how the new one differs from it. */
export interface Earlier {
  readonly known: KnownRun;
  /** null: its configuration is no longer there. */
  readonly differences: readonly Difference[] | null;
  /** Differences that do more than add to it; with none, the new run extends it. */
  readonly beyond: readonly Difference[];
}

/** Those of `runs` that are of this name with other digests, in their order. */
export async function earlierRuns(
  { artifacts }: Pick<Stores, "artifacts">,
  runs: readonly KnownRun[],
  { digest, resolved }: Pick<Resolution, "digest" | "resolved">,
): Promise<readonly Earlier[]> {
  const found: Earlier[] = [];
  for (const known of runs) {
    const { run } = known;
    if (run.name !== resolved.experiment.name || run.digest === digest) continue;
    const before = await readConfig(artifacts, run);
    const all = before === null ? null : differences(identity(before), identity(resolved));
    found.push({ known, differences: all, beyond: beyondGrowth(all ?? []) });
  }
  return found;
}

/** The newest run that the new one only adds to. */
export function extended(earlier: readonly Earlier[]): Earlier | null {
  return earlier.find(({ differences: all, beyond }) => all !== null && beyond.length === 0) ?? null;
}

/** Units of a stage that a run has finished. `arm` is empty before the evaluation. */
export async function finishedUnits(
  records: Records,
  run: RunRef,
  stage: string,
  counts: (arm: string) => boolean = () => true,
): Promise<number> {
  const prefix = unitRowsPrefix(run, stage);
  return (await records.list(prefix)).filter(({ key, value }) => {
    const [, , arm = ""] = stage === "evaluate" ? key.slice(prefix.length).split("/") : [];
    return (value as { outcome: { status: string } }).outcome.status === "done" && counts(arm);
  }).length;
}

/** Finished units of the earlier run whose calls the new one reads again: with more pairs an adapter is trained anew, and is asked anew. */
export async function rereadUnits(records: Records, { known, differences: all }: Earlier, stage: string): Promise<number> {
  const morePairs = all?.some(({ path }) => path === "converse.conversations") ?? false;
  return finishedUnits(records, known.run, stage, (arm) => !morePairs || (arm !== "adapter" && arm !== "wrong_adapter"));
}

/** What another version wrote, or somebody changed, is no configuration to compare with. */
async function readConfig(artifacts: Stores["artifacts"], { config }: RunRef): Promise<ResolvedExperiment | null> {
  if (!(await artifacts.verify(config))) return null;
  return resolvedExperiment.safeParse(JSON.parse((await artifacts.read(config)).toString("utf8"))).data ?? null;
}
