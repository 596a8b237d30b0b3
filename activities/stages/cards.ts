import type { PatternCard } from "../../configs/schema/context.ts";
import type { ResolvedExperiment } from "../../configs/schema/resolved.ts";
import type { RunRef } from "../../contract/units.ts";
import type { Deps } from "../deps.ts";
import { badConfig, badData } from "../failures.ts";
import { readStageRecord } from "./records.ts";

/** What `measure` found for a context, as its `targets` output holds it. */
export interface ContextTarget {
  /** Mean desired level, 0–1. */
  readonly target: number;
  readonly sd: number;
  readonly n: number;
  /** Every stated level, 0–1: conversations draw theirs from it. */
  readonly levels: readonly number[];
  /** Mean experienced level by the model that people talked to, 0–1. */
  readonly experienced: Readonly<Record<string, { readonly mean: number; readonly n: number }>>;
}

export type Targets = Readonly<Record<string, ContextTarget>>;

const cache = new Map<string, Targets>();

/** The targets that `measure` sealed; a nightly run uses its experiment's. */
export async function readTargets(deps: Pick<Deps, "artifacts" | "records">, run: RunRef): Promise<Targets> {
  const record = await readStageRecord(deps, { ...run, epoch: "" }, "measure");
  const ref = record?.outputs["targets"];
  if (ref === undefined) throw badData(`Run ${run.name} has no targets yet: measure comes before every conversation`);
  const known = cache.get(ref.sha256);
  if (known !== undefined) return known;
  const targets = JSON.parse((await deps.artifacts.read(ref)).toString("utf8")) as Targets;
  cache.set(ref.sha256, targets);
  return targets;
}

/** The card as the teacher and the System Prompt arm read it: the context's pattern at the measured level. */
export async function patternCard(
  deps: Pick<Deps, "artifacts" | "records">,
  run: RunRef,
  config: ResolvedExperiment,
  contextId: string,
): Promise<PatternCard> {
  const found = (await readTargets(deps, run))[contextId];
  if (found === undefined) throw badData(`The run measured no target for context ${contextId}`);
  return cardOf(config, contextId, found.target);
}

export function cardOf({ contexts }: Pick<ResolvedExperiment, "contexts">, contextId: string, target: number): PatternCard {
  const context = contexts.find(({ id }) => id === contextId);
  if (context === undefined) throw badConfig(`The run has no context ${contextId}`);
  return {
    context: contextId,
    title: context.title,
    target,
    do: context.pattern.do,
    avoid: context.pattern.avoid,
    example: context.pattern.example,
  };
}
