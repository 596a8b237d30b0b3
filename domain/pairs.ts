/** One of the two replies of a pair, with what the measures say of it (0–1; null: not scored). */
export interface Candidate {
  readonly text: string;
  readonly finishReason: string;
  readonly judge: number | null;
  /** null where the judge guides alone. */
  readonly guide: number | null;
}

export interface PairRules {
  readonly target: number;
  readonly judgeMargin: number;
  readonly guideMargin: number;
  readonly maxLengthRatio: number;
  readonly useGuide: boolean;
}

export type PairDrop =
  "unscored" | "incoherent" | "length-ratio" | "judge-order" | "judge-margin" | "guide-order" | "guide-margin" | "style-balance";

/**
 * Why two replies make no pair; null when they do. The steered reply must lie nearer to the target than the counter-steered one and be separated
 * from it by a margin, by the judge and, with `useGuide`, by the guide reward model.
 */
export function pairDrop(chosen: Candidate, rejected: Candidate, rules: PairRules): PairDrop | null {
  if (chosen.judge === null || rejected.judge === null) return "unscored";
  if (rules.useGuide && (chosen.guide === null || rejected.guide === null)) return "unscored";
  if (![chosen, rejected].every(coherent)) return "incoherent";
  const [a, b] = [chosen.text.length, rejected.text.length];
  if (Math.max(a, b) > rules.maxLengthRatio * Math.min(a, b)) return "length-ratio";
  const order = (x: number, y: number) => Math.abs(x - rules.target) < Math.abs(y - rules.target);
  if (!order(chosen.judge, rejected.judge)) return "judge-order";
  if (Math.abs(chosen.judge - rejected.judge) < rules.judgeMargin) return "judge-margin";
  if (rules.useGuide && chosen.guide !== null && rejected.guide !== null) {
    if (!order(chosen.guide, rejected.guide)) return "guide-order";
    if (Math.abs(chosen.guide - rejected.guide) < rules.guideMargin) return "guide-margin";
  }
  return null;
}

function coherent({ text, finishReason }: Candidate): boolean {
  return text.trim() !== "" && finishReason === "stop";
}

/**
 * How many of the kept pairs may reject an over-warm reply, so that those are at most `share` of all: otherwise a context where the measures
 * hardly tell plain from cold would learn nothing but to be colder. Never so few that under `least` pairs remain.
 */
export function overWarmLimit(cold: number, share: number, least: number): number {
  if (share >= 1) return Infinity;
  return Math.max(Math.floor((cold * share) / (1 - share)), least - cold, 0);
}
