import type { ArmResults, Estimate, GapConv, GapMean, TurnResult } from "../results.ts";
import { meanInterval } from "../statistics/clusters.ts";
import { histogram, mean, quantile, slope } from "../statistics/describe.ts";
import { pTost } from "../statistics/tests.ts";
import { distinctPairs, words } from "../text-measures.ts";
import { estimated, fold, meanEstimate, mostMissing, notEstimable } from "./estimates.ts";
import { type Item, level, observe, present, type ScoredTurn } from "./items.ts";

export interface ArmSettings {
  /** Desired level of the context, 0–1; null where it was not measured. */
  readonly target: number | null;
  readonly margin: number;
  /** Conversations and turns asked for. */
  readonly conversations: number;
  readonly turns: number;
  readonly seed: number;
  /** Share of a reply's sentences that stand in the training data; null where it is not known. */
  readonly copied: ((replies: readonly string[]) => number | null) | null;
}

const bins = 20;

/** Everything about one arm in one context. Outcomes such as empty replies are scored as produced; only absent scores are missing. */
export function armResults(items: readonly Item[], settings: ArmSettings): ArmResults {
  const { target, margin, seed } = settings;
  const turns = items.flatMap((item) => item.turns);
  const scores = present(turns.map((t) => t.score));
  const asked = settings.conversations * settings.turns;
  const missing = Math.max(0, asked - scores.length);
  const lost =
    missing / Math.max(1, asked) > mostMissing
      ? notEstimable(`${missing} of ${asked} turns have no score: worst-case bounds are more than 5 points apart`)
      : null;
  const overall = meanEstimate(observe(items, level), seed);
  const judged = observe(items, (item) => mean(present(item.turns.map((t) => t.judged))));
  const replies = turns.map((t) => t.reply);
  return {
    mean: overall.value,
    ci95: overall.ci95,
    n: items.filter((item) => level(item) !== null).length,
    turns: asked,
    missing,
    refused: count(turns, (t) => t.refused),
    truncated: count(turns, (t) => t.truncated),
    empty: count(turns, (t) => t.empty),
    perTurn: perTurn(items, settings),
    slope: lost ?? meanEstimate(observe(items, turnSlope), seed),
    change: lost === null ? change(items, margin, seed) : { ...lost, holds: null },
    gap: {
      mean: gapMean(items, target, margin, seed, lost),
      conv: lost === null ? gapConv(items, seed) : { ...lost, floor: null },
    },
    worstTurn: target === null ? null : mean(present(items.map((item) => worst(item, target)))),
    judge: {
      mean: mean(judged.map((o) => o.values[0] ?? Number.NaN)),
      ci95: meanInterval(judged, seed),
      unscored: count(turns, (t) => t.judged === null),
    },
    preference: mean(present(turns.map((t) => t.preference))),
    words: mean(replies.map((reply) => words(reply).length)),
    copied: settings.copied?.(replies) ?? null,
    distinct2: distinctPairs(replies),
    distribution: {
      evaluator: histogram(scores, bins),
      preference: histogram(present(turns.map((t) => t.preference)), bins),
      judge: histogram(present(turns.map((t) => t.judged)), bins),
    },
  };
}

/** Level gained per turn in one conversation, by least squares. */
export function turnSlope(item: Item): number | null {
  return slope(item.turns.flatMap((t) => (t.score === null ? [] : [{ x: t.turn, y: t.score }])));
}

/** Bands hold over all turns at once: Bonferroni over the number of turns. */
function perTurn(items: readonly Item[], { turns, seed }: ArmSettings): TurnResult[] {
  return Array.from({ length: turns }, (_, i) => i + 1).map((turn) => {
    const at = observe(items, (item) => item.turns.find((t) => t.turn === turn)?.score ?? null);
    return {
      turn,
      mean: mean(at.map((o) => o.values[0] ?? Number.NaN)),
      ci95: meanInterval(at, seed + turn, 1 - 0.05 / turns),
      n: at.length,
    };
  });
}

function change(items: readonly Item[], margin: number, seed: number): Estimate & { readonly holds: boolean | null } {
  const changes = observe(items, (item) => {
    const scored = item.turns.filter((t) => t.score !== null);
    const [first, last] = [scored[0]?.score, scored.at(-1)?.score];
    return scored.length < 2 || first == null || last == null ? null : last - first;
  });
  const test = estimated(changes);
  return { ...meanEstimate(changes, seed), holds: test === null ? null : pTost(test, margin) < 0.05 };
}

function gapMean(
  items: readonly Item[],
  target: number | null,
  margin: number,
  seed: number,
  lost: ReturnType<typeof notEstimable> | null,
): GapMean {
  const none = { signed: null, matches: {} };
  if (target === null) return { ...notEstimable("no desired level was measured"), ...none };
  if (lost !== null) return { ...lost, ...none };
  const gaps = observe(items, (item) => shifted(level(item), target));
  const signed = meanEstimate(gaps, seed);
  if (signed.value === null) return { ...signed, ...none };
  const test = estimated(gaps);
  const margins = [...new Set([0.05, margin, 0.15])].toSorted((a, b) => a - b);
  const matches = Object.fromEntries(margins.map((m) => [m.toFixed(2), test === null ? null : pTost(test, m) < 0.05]));
  return { ...signed, value: Math.abs(signed.value), ci95: signed.ci95 && fold(signed.ci95), signed: signed.value, matches };
}

function gapConv(items: readonly Item[], seed: number): GapConv {
  const desired = items.filter((item) => level(item) !== null).map((item) => item.desired);
  const known = present(desired);
  const middle = known.length === desired.length ? quantile(known, 0.5) : null;
  if (middle === null) return { ...notEstimable("conversations carry no desired level of their own"), floor: null };
  return { ...meanEstimate(observe(items, ownGap), seed), floor: mean(known.map((d) => Math.abs(d - middle))) };
}

/** |achieved − desired| of one conversation. */
export function ownGap(item: Item): number | null {
  const achieved = level(item);
  return achieved === null || item.desired === null ? null : Math.abs(achieved - item.desired);
}

function worst(item: Item, target: number): number | null {
  const gaps = present(item.turns.map((t) => shifted(t.score, target))).map(Math.abs);
  return gaps.length === 0 ? null : Math.max(...gaps);
}

const shifted = (value: number | null, by: number) => (value === null ? null : value - by);
const count = (turns: readonly ScoredTurn[], test: (turn: ScoredTurn) => boolean) => turns.filter(test).length;
