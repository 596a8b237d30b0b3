import type { JobDraft, JobOutcome } from "../../contract/jobs.ts";
import type { Ref } from "../../contract/ref.ts";
import type { PairRow } from "../../contract/rows.ts";
import { stageKey, type StageRecord } from "../../contract/stages.ts";
import type { RunRef } from "../../contract/units.ts";
import { overWarmLimit, pairDrop } from "../../domain/pairs.ts";
import { random } from "../../domain/random.ts";
import { projectFor } from "../../domain/transcript.ts";
import type { ResolvedExperiment } from "../../configs/schema/resolved.ts";
import type { Deps } from "../deps.ts";
import { badData } from "../failures.ts";
import { encoderWeights, jobSeed } from "../jobs/draft.ts";
import { baselineSystem } from "../prompts/prompts.ts";
import { patternCard } from "../stages/cards.ts";
import { countOutcomes } from "../stages/counts.ts";
import { datasetCard } from "../stages/dataset-card.ts";
import { folderInputs, putRows, putText, readRows } from "../stages/output.ts";
import { piiFacts, piiOf } from "../stages/pii.ts";
import { readStageRecord, writeStageRecord } from "../stages/records.ts";
import { listUnits } from "../units.ts";
import type { SteeredReply, SteeredRow } from "./steer.ts";

const scoreId = (unit: string, turn: number, side: string) => `${unit}#${turn}#${side}`;

export function makeSteerActivities(deps: Deps) {
  /** Units of other conversations than the sealed ones are left from an earlier seal: a conversation that failed since has no replies here. */
  const steered = async (run: RunRef, context: string) => {
    const conversations = (await readStageRecord(deps, run, stageKey("converse", context)))?.outputs["conversations"];
    if (conversations === undefined)
      throw badData(`Run ${run.name} has no sealed conversations of ${context}: converse comes before steer`);
    const left = await listUnits(deps, run, { stage: "steer", context });
    const units = left.filter(({ basis }) => basis === conversations.sha256);
    return { conversations, units, rows: units.flatMap((unit) => (unit.row === null ? [] : [unit.row as SteeredRow])) };
  };

  return {
    /** One score job over all candidate replies of a context. */
    prepareGuideScore: async ({ run, context, guide }: { run: RunRef; context: string; guide: Ref }): Promise<JobDraft> => {
      const config = await deps.config(run);
      const { rows } = await steered(run, context);
      const scoreRows = rows.flatMap((row) =>
        row.turns.flatMap(({ turn, history, candidates }) =>
          candidates.map(({ side, text }) => ({
            id: scoreId(row.unit, turn, side),
            messages: projectFor("assistant", history),
            reply: text,
          })),
        ),
      );
      if (scoreRows.length === 0)
        throw badData(`No steered reply of ${context} is there to score: see the dropped counts of its steer batch`);
      return {
        params: { kind: "score", encoder: encoderWeights(config), scorers: [{ id: "guide", path: "scorers/guide" }] },
        files: [
          { path: "data/rows.jsonl", ref: await putRows(deps.artifacts, run, `guide-rows-${context}`, scoreRows) },
          ...(await folderInputs(deps.artifacts, guide, "scorers/guide")),
        ],
        seed: jobSeed(config, "score", "guide", context),
      };
    },

    /** The pure gate: pairs that both measures order alike and separate, and what was dropped, by reason. */
    gatePairs: async ({
      run,
      context,
      scores,
    }: {
      run: RunRef;
      context: string;
      scores: JobOutcome | null;
    }): Promise<StageRecord> => {
      const config = await deps.config(run);
      const { steer } = config.experiment;
      const { conversations, units, rows } = await steered(run, context);
      const { target } = await patternCard(deps, run, config, context);
      const guide = await readScores(deps, scores);
      const asked = conversations.rows ?? 0;
      const counts: Record<string, number> = { ...countOutcomes(units, asked), pairsAsked: 0, pairs: 0, pairsDropped: 0 };
      const add = (name: string) => {
        counts[name] = (counts[name] ?? 0) + 1;
      };
      const rules = {
        target,
        judgeMargin: steer.judgeMargin,
        guideMargin: steer.guideMargin,
        maxLengthRatio: steer.maxLengthRatio,
        useGuide: steer.guidance === "judge+rm",
      };
      const passed: PairRow[] = [];
      for (const row of rows) {
        for (const { turn, history, candidates } of row.turns) {
          const [chosen, rejected] = [candidates.find((c) => c.side === "pattern"), candidates.find((c) => c.side === "counter")];
          if (chosen === undefined || rejected === undefined) continue;
          add("pairsAsked");
          const scored = (reply: SteeredReply) => ({
            text: reply.text,
            finishReason: reply.finishReason,
            judge: reply.judged.overall,
            guide: guide.get(scoreId(row.unit, turn, reply.side)) ?? null,
          });
          const [a, b] = [scored(chosen), scored(rejected)];
          const drop = pairDrop(a, b, rules);
          if (drop !== null) {
            add("pairsDropped");
            add(`pairsDropped:${drop}`);
            continue;
          }
          passed.push({
            prompt: [baselineSystem(config), ...projectFor("assistant", history)],
            chosen: [{ role: "assistant", content: chosen.text }],
            rejected: [{ role: "assistant", content: rejected.text }],
            unit: row.unit,
            family: row.family,
            turn,
            style: rejected.style,
            judge: { chosen: a.judge, rejected: b.judge },
            guide: { chosen: a.guide, rejected: b.guide },
          });
        }
      }
      const pairs = balanced(passed, config, context);
      for (let dropped = passed.length - pairs.length; dropped > 0; dropped--) {
        add("pairsDropped");
        add("pairsDropped:style-balance");
      }
      counts["pairs"] = pairs.length;
      for (const { style } of pairs) add(`pairs:rejects-${style}`);
      if (pairs.length < steer.minPairs) {
        throw badData(
          `${context}: ${pairs.length} pairs are left of ${counts["pairsAsked"] ?? 0}, fewer than steer.minPairs ${steer.minPairs} (${reasons(counts)}). Ask for more conversations or lower the margins`,
        );
      }
      const pii = await piiOf(pairs);
      const card = datasetCard(config, {
        title: `Preference pairs: ${context}`,
        note: `TRL's conversational form: prompt, chosen, rejected. Chosen lies nearer to the target level ${target.toFixed(2)}.`,
        counts,
        pii,
        roles: ["teacher", "judge"],
        prompts: ["assistant", "style-pattern", "style-plain", "style-over-warm", "judge-task", "baseline"],
        parents: { conversations, "scores of the guide": scores?.outputs["scores.jsonl"] },
      });
      return writeStageRecord(deps, run, {
        key: stageKey("steer", context),
        stage: "steer",
        outputs: {
          pairs: await putRows(deps.artifacts, run, `pairs-${context}`, pairs),
          card: await putText(deps.artifacts, run, `pairs-${context}`, "md", card),
        },
        counts,
        facts: { target, ...piiFacts(pii) },
      });
    },
  };
}

/** The pairs in their order, less a seeded choice of those that reject over-warm replies where these are too large a share. */
function balanced(pairs: readonly PairRow[], { experiment: { seed, steer } }: ResolvedExperiment, context: string): PairRow[] {
  const overWarm = pairs.filter(({ style }) => style === "over-warm");
  const limit = overWarmLimit(pairs.length - overWarm.length, steer.overWarmShare, steer.minPairs);
  const kept = new Set(random(seed, "style-balance", context).shuffled(overWarm).slice(0, limit));
  return pairs.filter((pair) => pair.style !== "over-warm" || kept.has(pair));
}

const reasons = (counts: Readonly<Record<string, number>>) =>
  Object.entries(counts)
    .filter(([name]) => name.startsWith("pairsDropped:"))
    .map(([name, count]) => `${name.slice("pairsDropped:".length)} ${count}`)
    .join(", ") || "no reply was there to compare";

async function readScores({ artifacts }: Pick<Deps, "artifacts">, scores: JobOutcome | null): Promise<Map<string, number>> {
  const ref = scores?.outputs["scores.jsonl"];
  if (ref === undefined) return new Map();
  const rows = await readRows<{ id: string; scores: Record<string, number> }>(artifacts, ref);
  return new Map(rows.flatMap(({ id, scores: { guide } }) => (guide === undefined ? [] : [[id, guide] as const])));
}
