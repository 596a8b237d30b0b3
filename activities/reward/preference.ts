import { z } from "zod";
import type { JobDraft, JobOutcome } from "../../contract/jobs.ts";
import type { Ref } from "../../contract/ref.ts";
import type { StageRecord } from "../../contract/stages.ts";
import { stageKey } from "../../contract/stages.ts";
import type { RunRef } from "../../contract/units.ts";
import { preferenceRows } from "../../domain/preference-rows.ts";
import type { PreferencePair, PreferenceRow } from "../../domain/preference-rows.ts";
import { badData } from "../failures.ts";
import { encoderWeights, jobSeed } from "../jobs/draft.ts";
import { runUri, writeStageRecord } from "../stages/records.ts";
import { counted } from "./generic.ts";
import { storeModel } from "./model.ts";
import type { JobDeps } from "../jobs/node.ts";

const messages = z.array(z.looseObject({ role: z.enum(["system", "user", "assistant"]), content: z.string() })).min(1);
const pair = z.looseObject({
  unit: z.string(),
  family: z.string(),
  turn: z.int().min(1),
  prompt: messages,
  chosen: messages,
  rejected: messages,
});

/** The rows of a context's preference model, made of its pairs; they are deterministic, so a second call stores the same file. */
export async function preparePreference(
  deps: JobDeps,
  { run, context, pairs }: { run: RunRef; context: string; pairs: Ref },
): Promise<JobDraft> {
  const config = await deps.config(run);
  const { reward } = config.experiment;
  const train = await deps.artifacts.putLines(
    `${runUri(run)}/reward/preference-${context}/${pairs.sha256.slice(0, 8)}/train.jsonl`,
    rowsByUnit(readPairs(deps, pairs)),
  );
  if (train.rows === 0) throw badData(`${pairs.uri} has no pairs, so ${context} can have no preference model.`);
  return {
    params: {
      kind: "preference",
      encoder: encoderWeights(config),
      freeze_encoder: reward.freezeEncoder,
      validation_share: reward.validationShare,
      max_steps: reward.preferenceSteps,
      learning_rate: reward.preferenceLearningRate,
    },
    files: [{ path: "data/train.jsonl", ref: train }],
    seed: jobSeed(config, "preference", context),
  };
}

/** A unit's pairs follow one another in the file, so no more than these are held. */
async function* rowsByUnit(pairs: AsyncIterable<PreferencePair>): AsyncGenerator<PreferenceRow> {
  let ofUnit: PreferencePair[] = [];
  for await (const pair of pairs) {
    if (ofUnit.length > 0 && ofUnit[0]?.unit !== pair.unit) {
      yield* preferenceRows(ofUnit);
      ofUnit = [];
    }
    ofUnit.push(pair);
  }
  yield* preferenceRows(ofUnit);
}

async function* readPairs({ artifacts }: JobDeps, ref: Ref): AsyncGenerator<PreferencePair> {
  let line = 0;
  for await (const row of artifacts.readLines(ref)) {
    line += 1;
    const parsed = pair.safeParse(row);
    if (!parsed.success)
      throw badData(
        `${ref.uri} line ${line} is no pair: ${parsed.error.issues[0]?.message ?? "unreadable"}. Rebuild the stage steer.`,
      );
    const { unit, family, turn, prompt, chosen, rejected } = parsed.data;
    const reply = (side: typeof chosen) => side.map(({ content }) => content).join("\n");
    yield { unit, family, turn, prompt, chosen: reply(chosen), rejected: reply(rejected) };
  }
}

export async function sealPreference(
  deps: JobDeps,
  { run, context, job }: { run: RunRef; context: string; job: JobOutcome },
): Promise<StageRecord> {
  const id = `preference-${context}`;
  const model = await storeModel(deps, run, id, job);
  const metric = (name: string) => job.metrics[name] ?? null;
  return writeStageRecord(deps, run, {
    key: stageKey("reward", id),
    stage: "reward",
    outputs: { model, result: job.result },
    counts: counted({ train: metric("trained.n"), validation: metric("validation.n") }),
    facts: {
      beta: metric("beta"),
      betaAtBound: metric("beta_at_bound"),
      r0: metric("r0"),
      accuracy: metric("validation.accuracy"),
      nll: metric("validation.nll"),
      n: metric("validation.n"),
      featureSet: metric("feature_set"),
    },
  });
}
