import type { ControlActivities } from "../../contract/activities.ts";
import { prepareReward, sealReward } from "./generic.ts";
import { preparePreference, sealPreference } from "./preference.ts";
import type { JobDeps } from "../jobs/node.ts";

type RewardActivities = Pick<ControlActivities, "prepareReward" | "sealReward" | "preparePreference" | "sealPreference">;

/** Reward and preference models: what goes into their jobs, and what is kept of them. */
export function makeRewardActivities(deps: JobDeps): RewardActivities {
  return {
    prepareReward: (input) => prepareReward(deps, input),
    sealReward: (input) => sealReward(deps, input),
    preparePreference: (input) => preparePreference(deps, input),
    sealPreference: (input) => sealPreference(deps, input),
  };
}
