import type { Experiment } from "../../configs/schema/experiment.ts";
import { readHumanData, toRating } from "../../configs/schema/human-rows.ts";
import type { RowProblem } from "../../configs/schema/jsonl.ts";
import { desiredLevels, type Rating } from "../../domain/measurement.ts";
import { leastTargetParticipants, participantCount, targetRatings } from "../../domain/target-ratings.ts";
import { usageError } from "../errors.ts";
import { badRows, type InputFile } from "./inputs.ts";
import { nearest } from "./nearest.ts";

/**
 * Human data as `measure` will judge it, so that no run starts only to fail there.
 * @param known contexts that have a file: rows of those that this experiment leaves out are no mistake
 * @throws CliError (exit 2): rows that can't be used, rows of contexts nobody knows, too few people for a target
 */
export function checkHumanData(file: InputFile, { measure, contexts, seed }: Experiment, known: readonly string[]): void {
  const { rows, problems } = readHumanData(file.text);
  const strangers = Map.groupBy(
    rows.filter(({ context }) => !known.includes(context)),
    ({ context }) => context,
  );
  const unusable = [...problems, ...[...strangers].map(([context, of]) => unknownContext(context, of, known))];
  if (measure.strict && unusable.length > 0)
    throw badRows(
      file,
      unusable.toSorted((a, b) => a.line - b.line),
      "Mend these rows, or set measure.strict to false, which leaves them out.",
    );
  const ratings = rows.map(toRating);
  const forTargets = targetRatings(ratings, seed);
  for (const context of contexts) checkPeople(file, context, ratings, forTargets);
  checkLink(
    measure.link,
    forTargets,
    forTargets.filter(({ context }) => contexts.includes(context)),
  );
}

/** One problem for all rows of a context, at the first of them. */
function unknownContext(context: string, rows: readonly { readonly line: number }[], known: readonly string[]): RowProblem {
  const meant = nearest(context, known);
  const hint = meant === undefined ? `there are ${known.join(", ")}` : `did you mean ${meant}?`;
  const more = rows.length === 1 ? "" : ` (${rows.length} rows name it)`;
  return { line: rows[0]?.line ?? 0, field: "context", problem: `${context} has no file among the contexts${more}; ${hint}` };
}

function checkPeople({ shown }: InputFile, context: string, all: readonly Rating[], forTargets: readonly Rating[]): void {
  const of = (ratings: readonly Rating[]) => participantCount(ratings.filter((rating) => rating.context === context));
  if (of(forTargets) >= leastTargetParticipants) return;
  throw usageError(
    `${shown} has ${of(all)} participants of context ${context}, and the seed draws ${of(forTargets)} of them for its target, where ${leastTargetParticipants} at least are needed (60 % of participants are drawn). Add rows of more participants.`,
  );
}

/** Some links need ratings that may not be there. */
function checkLink(link: Experiment["measure"]["link"], forTargets: readonly Rating[], own: readonly Rating[]): void {
  try {
    const level = desiredLevels(forTargets, link);
    own.forEach((rating) => level(rating));
  } catch (error) {
    if (error instanceof RangeError) throw usageError(`measure.link: ${error.message}.`);
    throw error;
  }
}
