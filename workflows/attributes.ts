import { defineSearchAttributeKey, SearchAttributeType } from "@temporalio/common";
import { searchAttributes as names } from "../contract/search-attributes.ts";

const keyword = (name: string) => defineSearchAttributeKey(name, SearchAttributeType.KEYWORD);
const int = (name: string) => defineSearchAttributeKey(name, SearchAttributeType.INT);
const double = (name: string) => defineSearchAttributeKey(name, SearchAttributeType.DOUBLE);

/** Typed keys of the search attributes; the server must know them before a workflow starts. */
export const attributes = {
  experiment: keyword(names.experiment.name),
  stage: keyword(names.stage.name),
  context: keyword(names.context.name),
  backbone: keyword(names.backbone.name),
  holdReason: keyword(names.holdReason.name),
  done: int(names.done.name),
  total: int(names.total.name),
  cost: double(names.cost.name),
  gapReduction: double(names.gapReduction.name),
};

/** Set by the server on a run that a schedule started. */
export const scheduledStart = defineSearchAttributeKey("TemporalScheduledStartTime", SearchAttributeType.DATETIME);
