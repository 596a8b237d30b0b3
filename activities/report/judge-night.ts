import type { Night } from "../../contract/activities.ts";
import type { NightlyResult } from "../../contract/experiment.ts";
import type { Ref } from "../../contract/ref.ts";
import { stageKey } from "../../contract/stages.ts";
import type { RunRef } from "../../contract/units.ts";
import { type AnsweredRole, changedRoles, modelWarnings } from "../../domain/answered-models.ts";
import { canaryWarnings } from "../../domain/canaries.ts";
import { changedFingerprints, fingerprintNotes } from "../../domain/fingerprints.ts";
import { compareNight, type NightPair, nightVerdict } from "../../domain/nights.ts";
import type { Results } from "../../domain/results.ts";
import { heedCancel } from "../cancelled.ts";
import type { Deps } from "../deps.ts";
import { readCanaries } from "../judging/canaries.ts";
import { readTargets } from "../stages/cards.ts";
import { isRehearsal } from "../stages/facts.ts";
import { findStageRecord, runUri } from "../stages/records.ts";
import { answeredIn } from "./answered.ts";
import { readPublished } from "./publish.ts";
import { type ItemsByContext, readItems } from "./rows.ts";

/** Compares the night's adapters with the reference's on the same items and stores the details as `nights/<night>.json` of the run. */
export async function judgeNight(deps: Deps, { run, night }: { run: RunRef; night: Night }): Promise<NightlyResult> {
  const { reference } = await readPublished(deps, run.name);
  const config = await deps.config(run);
  const { experiment } = config;
  const targets = await readTargets(deps, run);
  const pairs: NightPair[] = [];
  for (const backbone of night.plan.backbones) {
    const tonight = await items(deps, (await findStageRecord(deps, run, stageKey("evaluate", backbone)))?.outputs["rows"]);
    const before = await items(deps, reference.rows[backbone]);
    for (const context of night.plan.contexts) {
      pairs.push({
        backbone,
        context,
        target: targets[context]?.target ?? null,
        night: tonight[context]?.["adapter"] ?? [],
        reference: before[context]?.["adapter"] ?? [],
      });
    }
  }
  const { margin } = experiment.evaluate;
  const contexts = compareNight(pairs, { margin, seed: experiment.seed });
  const verdict = nightVerdict(contexts);
  const answered = await answeredIn(deps, run);
  const earlier = await answeredBefore(deps, reference.results);
  const models = [...modelWarnings(answered), ...changedRoles(earlier, answered)];
  const fingerprints = [...fingerprintNotes(answered), ...changedFingerprints(earlier, answered)];
  const judge = canaryWarnings((await readCanaries(deps, run)) ?? []);
  for (const warning of [...models, ...judge]) deps.log.warn(`Night ${night.night}: ${warning}`, { run: run.name });
  for (const note of fingerprints) deps.log.info(`Night ${night.night}: ${note}`, { run: run.name });
  const uri = `${runUri(run)}.json`;
  const details = {
    night: night.night,
    rehearsal: isRehearsal(config),
    verdict,
    margin,
    contexts,
    adapters: night.adapters,
    reference: reference.results,
    answered,
    /** In words: what spoke otherwise than asked for, or than in the reference. */
    models,
    /** In words: fingerprints that changed under a model's name, in the night or since the reference. */
    fingerprints,
    /** In words: canaries that the judge rated as no sane judge does. */
    judge,
  };
  heedCancel();
  await deps.artifacts.remove(uri);
  return {
    verdict,
    night: night.night,
    details: await deps.artifacts.put(uri, JSON.stringify(details, null, 1)),
    regressed: [...new Set(contexts.filter((c) => c.verdict === "regressed").map((c) => c.context))],
  };
}

/** Of the results that this night is compared with; those of an earlier version do not say. */
async function answeredBefore({ artifacts }: Pick<Deps, "artifacts">, results: Ref): Promise<readonly AnsweredRole[]> {
  // A run that made a lost piece again has written its results anew; its items, which the night is compared with, are still there.
  if (!(await artifacts.verify(results))) return [];
  const { provenance } = JSON.parse((await artifacts.read(results)).toString("utf8")) as Results;
  return provenance.answered ?? [];
}

async function items(deps: Deps, rows: Ref | undefined): Promise<ItemsByContext> {
  return rows === undefined ? {} : readItems(deps.artifacts.readLines(rows), rows.uri);
}
