import { ApplicationFailure } from "@temporalio/workflow";
import { failures } from "../../contract/failures.ts";
import type { Ref } from "../../contract/ref.ts";
import type { StageRecord } from "../../contract/stages.ts";

/** @throws BadData when the record lacks this output: it was written by another version. */
export function output(record: StageRecord, name: string): Ref {
  const ref = record.outputs[name];
  if (ref === undefined)
    throw ApplicationFailure.nonRetryable(
      `The record of ${record.key} has no output ${name}. Rebuild its stage: attune run --rebuild ${record.stage}`,
      failures.badData,
    );
  return ref;
}
