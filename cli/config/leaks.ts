import type { Context } from "../../configs/schema/context.ts";
import { similarity } from "../../domain/detectors.ts";
import { usageError } from "../errors.ts";
import type { Origin } from "./issues.ts";

/** A context, and where its parts were written. */
export interface WrittenContext {
  readonly context: Context;
  readonly where: Origin;
}

/**
 * Share of common words from which two situations count as the same one, told twice. Situations of the shipped contexts have 0.28 at most in
 * common, and a sentence with its person or place exchanged has about 0.7.
 */
const sameSituation = 0.6;
/** Pairs a message names before it says how many more there are. */
const shownPairs = 10;

/**
 * No situation stands in two splits, of one context or of two: what is evaluated on must not have been trained on, under whatever family's name.
 * @throws CliError (exit 2) naming both places of every pair, the nearest pairs first
 */
export function checkLeaks(contexts: readonly WrittenContext[]): void {
  const families = contexts.flatMap(({ context, where }) =>
    context.families.map((family, i) => ({ ...family, place: where(["families", i, "situation"]) })),
  );
  const leaks = families
    .flatMap((one, i) =>
      families
        .slice(i + 1)
        .filter(({ split }) => split !== one.split)
        .map((other) => ({ one, other, share: similarity(one.situation, other.situation) })),
    )
    .filter(({ share }) => share >= sameSituation)
    .toSorted((a, b) => b.share - a.share);
  if (leaks.length === 0) return;
  const lines = leaks
    .slice(0, shownPairs)
    .map(
      ({ one, other, share }) =>
        `${one.place}: ${one.id} (${one.split}) is nearly the situation of ${other.id} (${other.split}) at ${other.place}: ${Math.floor(100 * share)} % of their words are the same`,
    );
  const more = leaks.length > shownPairs ? [`… and ${leaks.length - shownPairs} more pairs`] : [];
  throw usageError(
    [
      ...lines,
      ...more,
      `From ${100 * sameSituation} % on, what is evaluated would have been trained on: give the two one split, or write another situation.`,
    ].join("\n        "),
  );
}
