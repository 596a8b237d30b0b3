import { isCancellation, rootCause, workflowInfo } from "@temporalio/workflow";
import type { ExperimentInput } from "../../contract/experiment.ts";
import { stages } from "../../contract/stages.ts";
import type { Stage, StageRecord } from "../../contract/stages.ts";
import { control } from "../activities.ts";
import type { Board } from "../board.ts";
import type { Director } from "../director.ts";
import type { JobOwner } from "../jobs.ts";

/** What every piece of the tree works with. */
export interface Tree {
  readonly input: ExperimentInput;
  readonly director: Director;
  readonly board: Board;
  readonly owner: JobOwner;
  /** Why pieces failed, by key. */
  readonly failed: Map<string, string>;
}

/** False for stages after `until`. */
export function wants({ until }: Pick<ExperimentInput, "until">, stage: Stage): boolean {
  return stages.indexOf(stage) <= stages.indexOf(until ?? "report");
}

/**
 * One piece of a stage: taken from its record when that and all its outputs are there, else made. `madeFrom`: records that a piece must not be older
 * than; an evaluation of an adapter that was trained anew is no evaluation of it. (Texts need no such check: made again, they are re-read calls.)
 */
export async function piece(
  tree: Tree,
  key: string,
  make: () => Promise<StageRecord>,
  madeFrom: readonly StageRecord[] = [],
): Promise<StageRecord> {
  const { board, director, input, failed } = tree;
  const { run, queues } = input;
  try {
    await director.gate();
    const found = await control(queues.control, `${key}: there already?`).findStage({ run, key });
    if (found !== null && madeFrom.every(({ at }) => at <= found.at)) {
      board.ended(key, "reused", found);
      return found;
    }
    if (found !== null) await control(queues.control, `${key} is older than what it is made from`).dropStage({ run, key });
    board.running(key);
    const record = await make();
    board.ended(key, "done", record);
    return record;
  } catch (error) {
    if (!isCancellation(error) && !failed.has(key) && !alreadyTold(error)) {
      failed.set(key, rootCause(error) ?? String(error));
      told.add(error as object);
      board.failed(key);
    }
    throw error;
  }
}

/** Errors that a piece has reported: the pieces that waited for it fail with the same one. */
const told = new WeakSet<object>();

function alreadyTold(error: unknown): boolean {
  return typeof error === "object" && error !== null && told.has(error);
}

/** Id of a child for a piece, below the run's: `…/converse/distress`. */
export function childId(...parts: readonly string[]): string {
  return [workflowInfo().workflowId, ...parts].join("/");
}
