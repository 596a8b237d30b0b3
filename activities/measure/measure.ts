import type { StageRecord } from "../../contract/stages.ts";
import type { RunRef } from "../../contract/units.ts";
import { readHumanData, toRating } from "../../configs/schema/human-rows.ts";
import { utf8Text } from "../../configs/schema/jsonl.ts";
import { desiredLevels, linearExperienced, mean, type Rating, standardDeviation } from "../../domain/measurement.ts";
import { leastTargetParticipants, participantCount, targetRatings } from "../../domain/target-ratings.ts";
import type { Deps } from "../deps.ts";
import { badData } from "../failures.ts";
import { cardOf, type ContextTarget, type Targets } from "../stages/cards.ts";
import { putText } from "../stages/output.ts";
import { writeStageRecord } from "../stages/records.ts";

/** Problems a message names before it says how many more there are. */
const shownProblems = 5;

export function makeMeasureActivities(deps: Deps) {
  return {
    /** From human data to a desired level per context, and its distribution. */
    measure: async ({ run }: { run: RunRef }): Promise<StageRecord> => {
      const config = await deps.config(run);
      const { measure, seed, contexts } = config.experiment;
      const text = utf8Text(await deps.artifacts.read(config.inputs.humanData));
      if (text === null) throw badData(`${measure.humanData} is not UTF-8 text. Save it as UTF-8, and run again`);
      const { rows, problems } = readHumanData(text);
      if (problems.length > 0 && measure.strict) {
        const shown = problems
          .slice(0, shownProblems)
          .map(({ line, field, problem }) => `line ${line}${field === "" ? "" : `, ${field}`}: ${problem}`);
        const more = problems.length > shownProblems ? `, and ${problems.length - shownProblems} more` : "";
        throw badData(
          `${measure.humanData} has rows that can't be used: ${shown.join("; ")}${more}. Mend them, or set measure.strict to false to leave them out`,
        );
      }
      const ratings = rows.map(toRating);
      const forTargets = targetRatings(ratings, seed);
      const level = desiredLevels(forTargets, measure.link);
      const targets: Targets = Object.fromEntries(
        contexts.map((context) => [context, targetOf(context, forTargets, ratings, level, measure.humanData)]),
      );
      const patterns = Object.fromEntries(
        Object.entries(targets).map(([context, { target }]) => [context, cardOf(config, context, target)]),
      );
      return writeStageRecord(deps, run, {
        key: "measure",
        stage: "measure",
        outputs: {
          targets: await putText(deps.artifacts, run, "targets", "json", JSON.stringify(targets, null, 2)),
          patterns: await putText(deps.artifacts, run, "patterns", "json", JSON.stringify(patterns, null, 2)),
          problems: await putText(deps.artifacts, run, "human-data-problems", "json", JSON.stringify(problems)),
        },
        counts: {
          rows: rows.length + new Set(problems.map(({ line }) => line)).size,
          used: rows.length,
          problems: problems.length,
          participants: participantCount(ratings),
        },
        facts: {
          link: measure.link,
          illustrative: measure.illustrative || rows.some((row) => row.illustrative === true),
          ...Object.fromEntries(Object.entries(targets).map(([context, { target }]) => [`target.${context}`, target])),
        },
      });
    },
  };
}

function targetOf(
  context: string,
  forTargets: readonly Rating[],
  all: readonly Rating[],
  level: (rating: Rating) => number,
  file: string,
): ContextTarget {
  const own = forTargets.filter((rating) => rating.context === context);
  const people = participantCount(own);
  if (people < leastTargetParticipants)
    throw badData(
      `${file} has ${people} participants for the target of context ${context}; ${leastTargetParticipants} at least are needed (60 % of participants are used for targets)`,
    );
  const levels = own.map(level);
  const byModel = Object.groupBy(
    all.filter((rating) => rating.context === context && rating.experienced !== null),
    (rating) => rating.model,
  );
  const experienced = Object.fromEntries(
    Object.entries(byModel).map(([model, of = []]) => [
      model,
      { mean: mean(of.map((rating) => linearExperienced(rating.experienced ?? 1))), n: of.length },
    ]),
  );
  return { target: mean(levels), sd: standardDeviation(levels), n: own.length, levels, experienced };
}
