import { stageKey, type StageRecord } from "../../contract/stages.ts";
import type { RunRef } from "../../contract/units.ts";
import type { ContextData, Tally, Usage } from "../../domain/account.ts";
import type { Calibration, Desired, Measure } from "../../domain/results.ts";
import { copiedShare } from "../../domain/text-measures.ts";
import type { ResolvedExperiment } from "../../configs/schema/resolved.ts";
import type { Deps } from "../deps.ts";
import { canariesInFacts } from "../judging/canaries.ts";
import { readTargets } from "../stages/cards.ts";
import { isRehearsal } from "../stages/facts.ts";
import { piiInFacts } from "../stages/pii.ts";
import { findStageRecord, ledgerRun } from "../stages/records.ts";
import { answeredIn } from "./answered.ts";
import { type ItemsByContext, readChosen, readItems } from "./rows.ts";
import type { RunData } from "./run-data.ts";

/** Reads what the run's stages left: records, scored rows, pairs and the usage ledger. A stage that is not there leaves its part empty. */
export async function gather(deps: Deps, run: RunRef): Promise<RunData> {
  const config = await deps.config(run);
  const stages = await stageRecords(deps, run, config);
  const items: Record<string, ItemsByContext> = {};
  for (const { id } of config.experiment.backbones) {
    const rows = stages.get(stageKey("evaluate", id))?.outputs["rows"];
    if (rows !== undefined) items[id] = await readItems(deps.artifacts.readLines(rows), rows.uri);
  }
  const chosen: string[] = [];
  for (const { id } of config.contexts) {
    const rows = stages.get(stageKey("steer", id))?.outputs["pairs"];
    if (rows !== undefined) chosen.push(...(await readChosen(deps.artifacts.readLines(rows))));
  }
  return {
    run,
    config,
    codeVersion: deps.env.codeVersion,
    desired: await desired(deps, run, stages.get("measure")),
    items,
    copied: chosen.length === 0 ? null : copiedShare(chosen),
    measures: measures(stages, config),
    data: config.contexts.map(({ id }): ContextData => ({
      context: id,
      conversations: conversations(stages.get(stageKey("converse", id))),
      pairs: pairs(stages.get(stageKey("steer", id))),
    })),
    usage: await usage(deps, run),
    answered: await answeredIn(deps, run),
    stages: [...stages.values()],
  };
}

/** The records of every piece of the run that is done, in the method's order. */
async function stageRecords(
  deps: Deps,
  run: RunRef,
  { experiment, contexts }: ResolvedExperiment,
): Promise<Map<string, StageRecord>> {
  const ids = contexts.map((c) => c.id);
  const backbones = experiment.backbones.map((b) => b.id);
  const keys = [
    "measure",
    ...ids.map((id) => stageKey("converse", id)),
    ...ids.map((id) => stageKey("steer", id)),
    ...["guide", "evaluator", ...ids.map((id) => `preference-${id}`)].map((which) => stageKey("reward", which)),
    ...backbones.flatMap((b) => ids.map((id) => stageKey("align", b, id))),
    ...backbones.map((b) => stageKey("evaluate", b)),
  ];
  const found = new Map<string, StageRecord>();
  for (const key of keys) {
    const record = await findStageRecord(deps, run, key);
    if (record !== null) found.set(key, record);
  }
  return found;
}

async function desired(deps: Deps, run: RunRef, measured: StageRecord | undefined): Promise<Record<string, Desired>> {
  const targets = measured === undefined ? {} : await readTargets(deps, run);
  const illustrative = measured?.facts["illustrative"] === true;
  return Object.fromEntries(
    Object.entries(targets).map(([id, { target, sd, n, experienced }]) => [
      id,
      { mean: target, sd, n, experienced, illustrative },
    ]),
  );
}

/**
 * `evaluator` is primary; `guide` and the preference models had a part in making, or are made of, the training pairs. The rehearsal judge gates the
 * pairs by rules that were written with the evaluator's labels in view, so in a rehearsal no measure is independent of the pairs.
 */
function measures(stages: ReadonlyMap<string, StageRecord>, config: ResolvedExperiment): Measure[] {
  const { experiment, contexts } = config;
  const { author } = experiment.reward;
  const generic = ["evaluator", "guide"].map((id): Measure => ({
    id,
    kind: "reward model",
    primary: id === experiment.evaluate.primary,
    independent: id === "evaluator" && !isRehearsal(config),
    author,
    calibration: calibration(stages.get(stageKey("reward", id))),
    heldOut: null,
  }));
  const other = { primary: false, independent: false, calibration: null, heldOut: null };
  const canaries = experiment.backbones
    .map(({ id }) => canariesInFacts(stages.get(stageKey("evaluate", id))?.facts ?? {}))
    .find((rated) => rated.length > 0);
  const judge: Measure = {
    ...other,
    id: "judge",
    kind: "judge",
    author: "none: a model's opinion",
    ...(canaries === undefined ? {} : { canaries }),
  };
  const preference = contexts.map(({ id }): Measure => {
    const facts = stages.get(stageKey("reward", `preference-${id}`))?.facts;
    const heldOut = facts === undefined ? null : { accuracy: numeric(facts["accuracy"]), n: numeric(facts["n"]) };
    return { ...other, id: `preference-${id}`, kind: "preference model", author: "the training pairs", heldOut };
  });
  return [...generic, judge, ...preference];
}

function calibration(record: StageRecord | undefined): Calibration | null {
  if (record === undefined) return null;
  const fact = (name: string) => numeric(record.facts[name]);
  const students = fact("studentN") ?? 0;
  return {
    n: fact("n"),
    mae: fact("mae"),
    slope: fact("calibrationSlope"),
    spearman: fact("spearman"),
    meanPredictorMae: fact("meanPredictorMae"),
    lengthOnlyMae: fact("lengthOnlyMae"),
    student:
      students === 0
        ? null
        : { n: students, mae: fact("studentMae"), slope: fact("studentCalibrationSlope"), spearman: fact("studentSpearman") },
  };
}

/** Conversations of a sealed batch: what was not done was dropped by the stage's rules, or failed. */
function conversations(record: StageRecord | undefined): Tally | null {
  if (record === undefined) return null;
  const { counts } = record;
  return {
    asked: counts["asked"] ?? null,
    kept: counts["done"] ?? 0,
    dropped: { ...reasons(counts, "dropped:"), ...reasons(counts, "failed:") },
    ...personal(record),
  };
}

function pairs(record: StageRecord | undefined): Tally | null {
  if (record === undefined) return null;
  const { counts } = record;
  return {
    asked: counts["pairsAsked"] ?? null,
    kept: counts["pairs"] ?? 0,
    keptBy: reasons(counts, "pairs:"),
    dropped: reasons(counts, "pairsDropped:"),
    ...personal(record),
  };
}

function personal({ facts }: StageRecord): Pick<Tally, "pii"> {
  const pii = piiInFacts(facts);
  return Object.keys(pii).length === 0 ? {} : { pii };
}

function reasons(counts: StageRecord["counts"], prefix: string): Record<string, number> {
  return Object.fromEntries(
    Object.entries(counts).flatMap(([name, n]) => (name.startsWith(prefix) ? [[name.slice(prefix.length), n]] : [])),
  );
}

async function usage(deps: Deps, run: RunRef): Promise<Usage> {
  const rows = await deps.callStore.usage(ledgerRun(run));
  const sum = (of: (row: (typeof rows)[number]) => number) => rows.reduce((total, row) => total + of(row), 0);
  return {
    calls: sum((r) => r.calls),
    reread: sum((r) => r.reread),
    failed: sum((r) => r.failed),
    wasted: sum((r) => r.wasted),
    inputTokens: sum((r) => r.inputTokens),
    cachedInputTokens: sum((r) => r.cachedInputTokens),
    outputTokens: sum((r) => r.outputTokens),
    costUsd: rows.some((r) => r.usd === null) ? null : sum((r) => r.usd ?? 0),
    rows: rows.map(({ usd, ...row }) => ({ ...row, costUsd: usd })),
  };
}

const numeric = (value: unknown): number | null => (typeof value === "number" ? value : null);
