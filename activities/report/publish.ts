import { z } from "zod";
import { stageKey, type StageRecord } from "../../contract/stages.ts";
import type { RunRef } from "../../contract/units.ts";
import { updateRecord } from "../../platform/records/update.ts";
import type { Deps } from "../deps.ts";
import { badData } from "../failures.ts";
import { findStageRecord } from "../stages/records.ts";

const ref = z.strictObject({ uri: z.string(), sha256: z.string(), bytes: z.number(), rows: z.number().nullable() });
const runRef = z.strictObject({ name: z.string(), digest: z.string(), config: ref, epoch: z.string() });

/** The experts that stand under an experiment's name: by backbone and context. */
const publishedExperts = z.strictObject({
  run: runRef,
  adapters: z.record(z.string(), z.record(z.string(), z.strictObject({ name: z.string(), digest8: z.string(), ref }))),
  results: ref,
  at: z.string(),
});
export type PublishedExperts = z.infer<typeof publishedExperts>;

/** The results that nights are compared with: the scored rows by backbone. */
const acceptedReference = z.strictObject({ run: runRef, results: ref, rows: z.record(z.string(), ref), at: z.string() });
export type AcceptedReference = z.infer<typeof acceptedReference>;

/** Moves `published/<experiment>`: the last run to finish stands. Sets `reference/<experiment>` if there is none. Safe to repeat. */
export async function publish(
  deps: Deps,
  { run }: { run: RunRef },
): Promise<{ published: readonly string[]; reference: "kept" | "set" }> {
  const { experiment, contexts } = await deps.config(run);
  const results = (await needed(deps, run, "report")).outputs["results"];
  if (results === undefined)
    throw badData(`run ${run.name}/${run.digest.slice(0, 12)} has a report without results: rebuild the stage report`);
  const at = deps.env.now().toISOString();
  const adapters: PublishedExperts["adapters"] = {};
  const rows: AcceptedReference["rows"] = {};
  for (const { id: backbone } of experiment.backbones) {
    const byContext: PublishedExperts["adapters"][string] = {};
    for (const { id: context } of contexts)
      byContext[context] = expert(await needed(deps, run, stageKey("align", backbone, context)), context);
    adapters[backbone] = byContext;
    const scored = (await needed(deps, run, stageKey("evaluate", backbone))).outputs["rows"];
    if (scored !== undefined) rows[backbone] = scored;
  }
  await updateRecord<PublishedExperts>(deps.records, `published/${run.name}`, () => ({ run, adapters, results, at }));
  const reference: AcceptedReference = { run, results, rows, at };
  const set = await deps.records.put(`reference/${run.name}`, reference, null);
  const published = Object.values(adapters).flatMap((byContext) => Object.values(byContext).map((a) => a.name));
  return { published, reference: set ? "set" : "kept" };
}

/** @throws when nothing was published under the name yet */
export async function readPublished(
  deps: Deps,
  experiment: string,
): Promise<{ published: PublishedExperts; reference: AcceptedReference }> {
  const [published, reference] = [
    await deps.records.get(`published/${experiment}`),
    await deps.records.get(`reference/${experiment}`),
  ];
  if (published === null || reference === null)
    throw badData(`no experts are published under ${experiment}: run the experiment to its end first`);
  return { published: publishedExperts.parse(published.value), reference: acceptedReference.parse(reference.value) };
}

function expert(record: StageRecord, context: string): PublishedExperts["adapters"][string][string] {
  const { adapter } = record.outputs;
  const { name, digest8 } = record.facts;
  if (adapter === undefined || typeof digest8 !== "string")
    throw badData(`stage record ${record.key} names no adapter: rebuild the stage align`);
  return { name: typeof name === "string" ? name : `${context}-${digest8}`, digest8, ref: adapter };
}

async function needed(deps: Deps, run: RunRef, key: string): Promise<StageRecord> {
  const record = await findStageRecord(deps, run, key);
  if (record === null)
    throw badData(
      `run ${run.name}/${run.digest.slice(0, 12)} has no finished ${key}: run it again, only what is missing is rebuilt`,
    );
  return record;
}
