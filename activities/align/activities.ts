import type { ControlActivities } from "../../contract/activities.ts";
import type { JobOutcome } from "../../contract/jobs.ts";
import type { StageRecord } from "../../contract/stages.ts";
import { stageKey } from "../../contract/stages.ts";
import type { RunRef } from "../../contract/units.ts";
import { adapterName } from "../jobs/adapter-name.ts";
import { backboneOf } from "../jobs/draft.ts";
import { writeStageRecord } from "../stages/records.ts";
import { adapterCard, readWeightsNote } from "./card.ts";
import { adapterDigest8, alignDraft } from "./draft.ts";
import type { AlignInput } from "./draft.ts";
import { storeAdapter } from "./store.ts";
import type { JobDeps } from "../jobs/node.ts";

type AlignActivities = Pick<ControlActivities, "prepareAlign" | "sealAdapter">;

export function makeAlignActivities(deps: JobDeps): AlignActivities {
  return {
    prepareAlign: async ({ run, ...input }) => alignDraft(await deps.config(run), input),
    sealAdapter: (input) => sealAdapter(deps, input),
  };
}

async function sealAdapter(
  deps: JobDeps,
  { run, job, ...input }: AlignInput & { run: RunRef; job: JobOutcome },
): Promise<StageRecord> {
  const { context, backbone } = input;
  const config = await deps.config(run);
  const draft = alignDraft(config, input);
  const digest8 = adapterDigest8(draft);
  const name = adapterName(context, digest8);
  const weights = await readWeightsNote(deps.env.home, backboneOf(config, backbone).weights);
  const card = adapterCard({ config, context, backbone, name, draft, weights });
  const adapter = await storeAdapter(deps, { place: { backbone, context, digest8 }, job, card });
  const metric = (key: string) => job.metrics[key] ?? null;
  return writeStageRecord(deps, run, {
    key: stageKey("align", backbone, context),
    stage: "align",
    outputs: { adapter, result: job.result },
    counts: input.pairs.rows === null ? {} : { pairs: input.pairs.rows },
    facts: {
      digest8,
      name,
      steps: metric("steps"),
      seconds: metric("wall_s"),
      secondsPerStep: metric("step_s_median"),
      loss: metric("late.loss"),
      margin: metric("late.margin"),
      accuracy: metric("late.accuracy"),
      truncatedShare: metric("truncated_share"),
      chosenTokens: metric("tokens_chosen_mean"),
      rejectedTokens: metric("tokens_rejected_mean"),
    },
  });
}
