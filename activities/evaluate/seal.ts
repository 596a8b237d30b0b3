import type { Evaluated } from "../../contract/activities.ts";
import type { JobDraft, JobOutcome } from "../../contract/jobs.ts";
import type { Ref } from "../../contract/ref.ts";
import type { EvaluationRow, ScoredEvaluationRow } from "../../contract/rows.ts";
import { stageKey, type StageRecord } from "../../contract/stages.ts";
import type { Turn } from "../../domain/transcript.ts";
import { projectFor } from "../../domain/transcript.ts";
import type { Deps } from "../deps.ts";
import { badData } from "../failures.ts";
import { canaryFacts, readCanaries } from "../judging/canaries.ts";
import { outcomeCounter } from "../stages/counts.ts";
import { encoderWeights, jobSeed } from "../jobs/draft.ts";
import { folderInputs, putRows, readScores } from "../stages/output.ts";
import { writeStageRecord } from "../stages/records.ts";
import { unitsOf, type UnitRecord } from "../units.ts";
import { basisOf } from "./evaluate.ts";

const scoreId = (row: EvaluationRow, turn: number) => `${row.arm}#${row.unit}#${turn}`;

export function makeEvaluationActivities(deps: Deps) {
  /** Units of other adapters than these are left from an earlier training: their answers are not these adapters'. */
  const evaluated = async function* ({ run, backbone, adapters, arms }: Evaluated) {
    const { contexts } = (await deps.config(run)).experiment;
    for (const context of contexts) {
      for (const arm of arms) {
        const group = { stage: "evaluate" as const, context, backbone, arm };
        const basis = basisOf({ inputs: adapters, group }, contexts);
        for await (const unit of unitsOf(deps, run, group)()) yield unit.basis === basis ? unit : leftover(unit);
      }
    }
  };

  return {
    /** All replies of a backbone, by every scorer: `evaluator` and the contexts' preference models. */
    prepareEvaluationScore: async ({
      scorers,
      ...what
    }: Evaluated & { scorers: Readonly<Record<string, Ref>> }): Promise<JobDraft> => {
      const { run, backbone } = what;
      const config = await deps.config(run);
      const replies = async function* () {
        for await (const unit of evaluated(what)) {
          const row = rowOf(unit);
          if (row === null) continue;
          for (const { turn, reply } of row.turns)
            yield { id: scoreId(row, turn), messages: projectFor("assistant", historyUntil(row, turn)), reply };
        }
      };
      const rows = await putRows(deps.artifacts, run, `score-rows-${backbone}`, replies());
      if (rows.rows === 0) throw badData(`No conversation of ${backbone} was evaluated: see the dropped counts of its batches`);
      const files = [{ path: "data/rows.jsonl", ref: rows }];
      for (const [id, ref] of Object.entries(scorers)) files.push(...(await folderInputs(deps.artifacts, ref, `scorers/${id}`)));
      return {
        params: {
          kind: "score",
          encoder: encoderWeights(config),
          scorers: Object.keys(scorers).map((id) => ({ id, path: `scorers/${id}` })),
        },
        files,
        seed: jobSeed(config, "score", backbone),
      };
    },

    sealEvaluation: async ({ job, ...what }: Evaluated & { job: JobOutcome }): Promise<StageRecord> => {
      const { run, backbone, arms } = what;
      const { experiment } = await deps.config(run);
      const ref = job.outputs["scores.jsonl"];
      if (ref === undefined) throw badData(`The score job ${job.job} left no scores.jsonl`);
      const scores = await readScores(deps.artifacts, ref);
      const outcomes = outcomeCounter(experiment.contexts.length * arms.length * experiment.evaluate.conversations);
      const scored = async function* () {
        for await (const unit of evaluated(what)) {
          outcomes.add(unit.outcome);
          const row = rowOf(unit);
          if (row !== null) yield withScores(row, scores);
        }
      };
      const rows = await putRows(deps.artifacts, run, `evaluation-${backbone}`, scored());
      return writeStageRecord(deps, run, {
        key: stageKey("evaluate", backbone),
        stage: "evaluate",
        outputs: { rows },
        counts: outcomes.counts(),
        facts: { split: experiment.evaluate.split, ...canaryFacts((await readCanaries(deps, run)) ?? []) },
      });
    },
  };
}

const leftover = (unit: UnitRecord): UnitRecord => ({
  ...unit,
  row: null,
  outcome: { status: "failed", reason: "not-tried-with-this-adapter", spend: unit.outcome.spend },
});

const rowOf = ({ row }: UnitRecord) => row as EvaluationRow | null;

function withScores(row: EvaluationRow, scores: ReadonlyMap<string, Readonly<Record<string, number>>>): ScoredEvaluationRow {
  const turns = row.turns.map((turn) => {
    const found = scores.get(scoreId(row, turn.turn));
    return {
      ...turn,
      scores: { evaluator: found?.["evaluator"] ?? null, preference: found?.[`preference-${row.context}`] ?? null },
    };
  });
  return { ...row, turns };
}

/** The conversation up to and with a turn's user message. */
function historyUntil(row: EvaluationRow, turn: number): Turn[] {
  return row.turns
    .filter((t) => t.turn <= turn)
    .flatMap((t): Turn[] => [
      { speaker: "user", text: t.user },
      ...(t.turn < turn ? [{ speaker: "assistant" as const, text: t.reply }] : []),
    ]);
}
