import type { ResolvedExperiment } from "../../configs/schema/resolved.ts";
import type { PairRow } from "../../contract/rows.ts";
import { overWarmLimit, pairDrop } from "../../domain/pairs.ts";
import { random } from "../../domain/random.ts";
import { projectFor } from "../../domain/transcript.ts";
import { baselineSystem } from "../prompts/prompts.ts";
import type { SteeredReply, SteeredRow } from "./steer.ts";

/** A candidate's id in the score job of the guide. */
export const scoreId = (unit: string, turn: number, side: string) => `${unit}#${turn}#${side}`;

interface Gate {
  readonly config: ResolvedExperiment;
  readonly target: number;
  /** The guide's scores by `scoreId`; empty when the judge alone decides. */
  readonly guide: ReadonlyMap<string, Readonly<Record<string, number>>>;
}

/** The pair of each turn that has both replies, or why it is none. Pure: the same again for the same row. */
export function* gated(row: SteeredRow, { config, target, guide }: Gate): Generator<PairRow | { readonly drop: string }> {
  const { steer } = config.experiment;
  const rules = {
    target,
    judgeMargin: steer.judgeMargin,
    guideMargin: steer.guideMargin,
    maxLengthRatio: steer.maxLengthRatio,
    useGuide: steer.guidance === "judge+rm",
  };
  for (const { turn, history, candidates } of row.turns) {
    const [chosen, rejected] = [candidates.find((c) => c.side === "pattern"), candidates.find((c) => c.side === "counter")];
    if (chosen === undefined || rejected === undefined) continue;
    const scored = (reply: SteeredReply) => ({
      text: reply.text,
      finishReason: reply.finishReason,
      judge: reply.judged.overall,
      guide: guide.get(scoreId(row.unit, turn, reply.side))?.["guide"] ?? null,
    });
    const [a, b] = [scored(chosen), scored(rejected)];
    const drop = pairDrop(a, b, rules);
    yield drop !== null
      ? { drop }
      : {
          prompt: [baselineSystem(config), ...projectFor("assistant", history)],
          chosen: [{ role: "assistant", content: chosen.text }],
          rejected: [{ role: "assistant", content: rejected.text }],
          unit: row.unit,
          family: row.family,
          turn,
          style: rejected.style,
          judge: { chosen: a.judge, rejected: b.judge },
          guide: { chosen: a.guide, rejected: b.guide },
        };
  }
}

/** Of so many pairs that reject over-warm replies, the places of those that stay: a seeded choice where they are too large a share. */
export function overWarmKept(
  { passed, overWarm }: { readonly passed: number; readonly overWarm: number },
  { experiment: { seed, steer } }: ResolvedExperiment,
  context: string,
): ReadonlySet<number> {
  const limit = overWarmLimit(passed - overWarm, steer.overWarmShare, steer.minPairs);
  const places = Array.from({ length: overWarm }, (_, place) => place);
  return new Set(random(seed, "style-balance", context).shuffled(places).slice(0, limit));
}
