import { stageKey } from "../../contract/stages.ts";
import type { StageRecord } from "../../contract/stages.ts";
import { control } from "../activities.ts";
import { runJobToEnd } from "../jobs.ts";
import { piece } from "./pieces.ts";
import type { Tree } from "./pieces.ts";

/** A generic reward model from labels: `guide` takes part in making the pairs, `evaluator` only in judging what came of them. */
export function genericModel(tree: Tree, which: "guide" | "evaluator"): Promise<StageRecord> {
  const { run, queues } = tree.input;
  const key = stageKey("reward", which);
  return piece(tree, key, async () => {
    const draft = await control(queues.control, `labels of ${which}`).prepareReward({ run, which });
    const job = await runJobToEnd(tree.owner, key, draft);
    return control(queues.control, `reward model ${which}`).sealReward({ run, which, job });
  });
}
