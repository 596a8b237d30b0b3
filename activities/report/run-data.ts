import type { ResolvedExperiment } from "../../configs/schema/resolved.ts";
import type { StageRecord } from "../../contract/stages.ts";
import type { RunRef } from "../../contract/units.ts";
import type { Item } from "../../domain/gap/items.ts";
import type { AnsweredRole } from "../../domain/answered-models.ts";
import type { ContextData, Usage } from "../../domain/account.ts";
import type { Desired, Measure } from "../../domain/results.ts";
import type { ItemsByContext } from "./rows.ts";

/** Everything a run left behind that its results are made of. */
export interface RunData {
  readonly run: RunRef;
  readonly config: ResolvedExperiment;
  readonly codeVersion: string;
  /** By context. */
  readonly desired: Readonly<Record<string, Desired>>;
  /** By backbone. */
  readonly items: Readonly<Record<string, ItemsByContext>>;
  /** Share of sentences that stand in any context's training pairs; null where there are no pairs. */
  readonly copied: ((replies: readonly string[]) => number | null) | null;
  readonly measures: readonly Measure[];
  readonly data: readonly ContextData[];
  readonly usage: Usage;
  readonly answered: readonly AnsweredRole[];
  readonly stages: readonly StageRecord[];
}

/** One context of one backbone, by arm; empty where nothing was evaluated. */
export function itemsOf(data: RunData, backbone: string, context: string): Readonly<Record<string, readonly Item[]>> {
  return data.items[backbone]?.[context] ?? {};
}
