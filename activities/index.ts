import type { ControlActivities, UnitActivities } from "../contract/activities.ts";
import { makeAlignActivities } from "./align/activities.ts";
import { makeConverseActivities } from "./converse/converse.ts";
import type { Deps } from "./deps.ts";
import { makeServingActivities } from "./evaluate/canary.ts";
import { makeEvaluateUnit } from "./evaluate/evaluate.ts";
import { makeEvaluationActivities } from "./evaluate/seal.ts";
import { prepareServe } from "./jobs/prepare-serve.ts";
import { makeMeasureActivities } from "./measure/measure.ts";
import { makeReportActivities } from "./report/activities.ts";
import { makeRewardActivities } from "./reward/activities.ts";
import { dropStageRecord, findStageRecord, ledgerRun } from "./stages/records.ts";
import { makeSteerActivities } from "./steer/pairs.ts";
import { makeSteerUnit } from "./steer/steer.ts";

export { makeNodeActivities, makePoolActivities } from "./jobs/activities.ts";

/** Steps on the control queue. */
export function controlActivities(deps: Deps): ControlActivities {
  const { sealConversations } = makeConverseActivities(deps);
  return {
    findStage: ({ run, key }) => findStageRecord(deps, run, key),
    dropStage: ({ run, key }) => dropStageRecord(deps, run, key),
    readSpend: async ({ run, byStage }) => {
      const spend = await deps.callStore.spend(ledgerRun(run));
      return byStage === true ? { ...spend, stages: await deps.callStore.spendByStage(ledgerRun(run)) } : spend;
    },
    sealConversations,
    ...makeMeasureActivities(deps),
    ...makeSteerActivities(deps),
    ...makeRewardActivities(deps),
    ...makeAlignActivities(deps),
    prepareServe: (input) => prepareServe(deps, input),
    ...makeEvaluationActivities(deps),
    ...makeReportActivities(deps),
  };
}

/** Conversations on the llm queue. */
export function unitActivities(deps: Deps): UnitActivities {
  const { converse } = makeConverseActivities(deps);
  return { converse, ...makeSteerUnit(deps), ...makeEvaluateUnit(deps), ...makeServingActivities(deps) };
}
