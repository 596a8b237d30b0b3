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
import { countOutcomes } from "../stages/counts.ts";
import { encoderWeights, jobSeed } from "../jobs/draft.ts";
import { folderInputs, putRows, readRows } from "../stages/output.ts";
import { writeStageRecord } from "../stages/records.ts";
import { listUnits, type UnitRecord } from "../units.ts";
import { basisOf } from "./evaluate.ts";

const scoreId = (row: EvaluationRow, turn: number) => `${row.arm}#${row.unit}#${turn}`;

export function makeEvaluationActivities(deps: Deps) {
  /** Units of other adapters than these are left from an earlier training: their answers are not these adapters'. */
  const evaluated = async ({ run, backbone, adapters, arms }: Evaluated) => {
    const { contexts } = (await deps.config(run)).experiment;
    const units: UnitRecord[] = [];
    for (const context of contexts) {
      for (const arm of arms) {
        const group = { stage: "evaluate" as const, context, backbone, arm };
        const basis = basisOf({ inputs: adapters, group }, contexts);
        for (const unit of await listUnits(deps, run, group)) units.push(unit.basis === basis ? unit : leftover(unit));
      }
    }
    return { units, rows: units.flatMap((unit) => (unit.row === null ? [] : [unit.row as EvaluationRow])) };
  };

  return {
    /** All replies of a backbone, by every scorer: `evaluator` and the contexts' preference models. */
    prepareEvaluationScore: async ({
      scorers,
      ...what
    }: Evaluated & { scorers: Readonly<Record<string, Ref>> }): Promise<JobDraft> => {
      const { run, backbone } = what;
      const config = await deps.config(run);
      const { rows } = await evaluated(what);
      if (rows.length === 0) throw badData(`No conversation of ${backbone} was evaluated: see the dropped counts of its batches`);
      const scoreRows = rows.flatMap((row) =>
        row.turns.map(({ turn, reply }) => ({
          id: scoreId(row, turn),
          messages: projectFor("assistant", historyUntil(row, turn)),
          reply,
        })),
      );
      const files = [{ path: "data/rows.jsonl", ref: await putRows(deps.artifacts, run, `score-rows-${backbone}`, scoreRows) }];
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
      const { units, rows } = await evaluated(what);
      const ref = job.outputs["scores.jsonl"];
      if (ref === undefined) throw badData(`The score job ${job.job} left no scores.jsonl`);
      const scores = new Map(
        (await readRows<{ id: string; scores: Record<string, number> }>(deps.artifacts, ref)).map((row) => [row.id, row.scores]),
      );
      const scored = rows.map((row): ScoredEvaluationRow => ({
        ...row,
        turns: row.turns.map((turn) => {
          const found = scores.get(scoreId(row, turn.turn));
          return {
            ...turn,
            scores: { evaluator: found?.["evaluator"] ?? null, preference: found?.[`preference-${row.context}`] ?? null },
          };
        }),
      }));
      const asked = experiment.contexts.length * arms.length * experiment.evaluate.conversations;
      return writeStageRecord(deps, run, {
        key: stageKey("evaluate", backbone),
        stage: "evaluate",
        outputs: { rows: await putRows(deps.artifacts, run, `evaluation-${backbone}`, scored) },
        counts: countOutcomes(units, asked),
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

/** The conversation up to and with a turn's user message. */
function historyUntil(row: EvaluationRow, turn: number): Turn[] {
  return row.turns
    .filter((t) => t.turn <= turn)
    .flatMap((t): Turn[] => [
      { speaker: "user", text: t.user },
      ...(t.turn < turn ? [{ speaker: "assistant" as const, text: t.reply }] : []),
    ]);
}
