import type { JobDraft, JobOutcome } from "../../contract/jobs.ts";
import type { Ref } from "../../contract/ref.ts";
import { stageKey, type StageRecord } from "../../contract/stages.ts";
import type { RunRef } from "../../contract/units.ts";
import { projectFor } from "../../domain/transcript.ts";
import type { Deps } from "../deps.ts";
import { badData } from "../failures.ts";
import { encoderWeights, jobSeed } from "../jobs/draft.ts";
import { patternCard } from "../stages/cards.ts";
import { outcomeCounter } from "../stages/counts.ts";
import { datasetCard } from "../stages/dataset-card.ts";
import { folderInputs, putRows, putText, readScores } from "../stages/output.ts";
import { piiCounter, piiFacts } from "../stages/pii.ts";
import { readStageRecord, writeStageRecord } from "../stages/records.ts";
import { unitsOf, type UnitRecord } from "../units.ts";
import { gated, overWarmKept, scoreId } from "./gate.ts";
import type { SteeredRow } from "./steer.ts";

export function makeSteerActivities(deps: Deps) {
  /** Units of other conversations than the sealed ones are left from an earlier seal: a conversation that failed since has no replies here. */
  const steered = async (run: RunRef, context: string) => {
    const conversations = (await readStageRecord(deps, run, stageKey("converse", context)))?.outputs["conversations"];
    if (conversations === undefined)
      throw badData(`Run ${run.name} has no sealed conversations of ${context}: converse comes before steer`);
    const all = unitsOf(deps, run, { stage: "steer", context });
    const units = async function* () {
      for await (const unit of all()) if (unit.basis === conversations.sha256) yield unit;
    };
    return { conversations, units };
  };

  return {
    /** One score job over all candidate replies of a context. */
    prepareGuideScore: async ({ run, context, guide }: { run: RunRef; context: string; guide: Ref }): Promise<JobDraft> => {
      const config = await deps.config(run);
      const { units } = await steered(run, context);
      const candidates = async function* () {
        for await (const unit of units()) {
          const row = rowOf(unit);
          if (row === null) continue;
          for (const { turn, history, candidates } of row.turns)
            for (const { side, text } of candidates)
              yield { id: scoreId(row.unit, turn, side), messages: projectFor("assistant", history), reply: text };
        }
      };
      const rows = await putRows(deps.artifacts, run, `guide-rows-${context}`, candidates());
      if (rows.rows === 0)
        throw badData(`No steered reply of ${context} is there to score: see the dropped counts of its steer batch`);
      return {
        params: { kind: "score", encoder: encoderWeights(config), scorers: [{ id: "guide", path: "scorers/guide" }] },
        files: [{ path: "data/rows.jsonl", ref: rows }, ...(await folderInputs(deps.artifacts, guide, "scorers/guide"))],
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
      const { conversations, units } = await steered(run, context);
      const { target } = await patternCard(deps, run, config, context);
      const scored = scores?.outputs["scores.jsonl"];
      const gate = { config, target, guide: scored === undefined ? new Map() : await readScores(deps.artifacts, scored) };
      const outcomes = outcomeCounter(conversations.rows ?? 0);
      const pairCounts: Record<string, number> = { pairsAsked: 0, pairs: 0, pairsDropped: 0 };
      const add = (name: string, by = 1) => {
        pairCounts[name] = (pairCounts[name] ?? 0) + by;
      };
      const gates = { passed: 0, overWarm: 0 };
      for await (const unit of units()) {
        outcomes.add(unit.outcome);
        const row = rowOf(unit);
        if (row === null) continue;
        for (const pair of gated(row, gate)) {
          add("pairsAsked");
          if ("drop" in pair) {
            add("pairsDropped");
            add(`pairsDropped:${pair.drop}`);
          } else {
            gates.passed += 1;
            if (pair.style === "over-warm") gates.overWarm += 1;
          }
        }
      }
      const stay = overWarmKept(gates, config, context);
      const unbalanced = gates.overWarm - stay.size;
      if (unbalanced > 0) {
        add("pairsDropped", unbalanced);
        add("pairsDropped:style-balance", unbalanced);
      }
      const left = gates.passed - unbalanced;
      add("pairs", left);
      if (left < steer.minPairs) {
        throw badData(
          `${context}: ${left} pairs are left of ${pairCounts["pairsAsked"] ?? 0}, fewer than steer.minPairs ${steer.minPairs} (${reasons(pairCounts)}). Ask for more conversations or lower the margins`,
        );
      }
      const kept = async function* () {
        let overWarm = 0;
        for await (const unit of units()) {
          const row = rowOf(unit);
          if (row === null) continue;
          for (const pair of gated(row, gate)) {
            if ("drop" in pair || (pair.style === "over-warm" && !stay.has(overWarm++))) continue;
            add(`pairs:rejects-${pair.style}`);
            yield pair;
          }
        }
      };
      const pii = piiCounter();
      const pairs = await putRows(deps.artifacts, run, `pairs-${context}`, pii.passing(kept()));
      const counts = { ...outcomes.counts(), ...pairCounts };
      const card = datasetCard(config, {
        title: `Preference pairs: ${context}`,
        note: `TRL's conversational form: prompt, chosen, rejected. Chosen lies nearer to the target level ${target.toFixed(2)}.`,
        counts,
        pii: pii.counts(),
        roles: ["teacher", "judge"],
        prompts: ["assistant", "style-pattern", "style-plain", "style-over-warm", "judge-task", "baseline"],
        parents: { conversations, "scores of the guide": scored },
      });
      return writeStageRecord(deps, run, {
        key: stageKey("steer", context),
        stage: "steer",
        outputs: {
          pairs,
          card: await putText(deps.artifacts, run, `pairs-${context}`, "md", card),
        },
        counts,
        facts: { target, ...piiFacts(pii.counts()) },
      });
    },
  };
}

const rowOf = ({ row }: UnitRecord) => row as SteeredRow | null;

const reasons = (counts: Readonly<Record<string, number>>) =>
  Object.entries(counts)
    .filter(([name]) => name.startsWith("pairsDropped:"))
    .map(([name, count]) => `${name.slice("pairsDropped:".length)} ${count}`)
    .join(", ") || "no reply was there to compare";
