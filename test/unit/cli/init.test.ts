import { expect, test } from "vitest";
import { humanDataFile } from "../../../cli/init/files.ts";
import { readHumanData, toRating } from "../../../configs/schema/human-rows.ts";
import { leastTargetParticipants, participantCount, targetRatings } from "../../../domain/target-ratings.ts";
import { written } from "../../support/new-experiment.ts";

const contexts = ["support-a", "support-b"];

test("the example rows are rows that measure takes, and every seed leaves enough people for each target", () => {
  const { rows, problems } = readHumanData(humanDataFile(contexts));
  expect(problems).toEqual([]);
  const ratings = rows.map(toRating);
  for (let seed = 0; seed < 5000; seed += 1) {
    const forTargets = targetRatings(ratings, seed);
    for (const context of contexts)
      expect(
        participantCount(forTargets.filter((rating) => rating.context === context)),
        `${context}, seed ${seed}`,
      ).toBeGreaterThanOrEqual(leastTargetParticipants);
  }
});

test("what init writes is valid with all that it names", async () => {
  const { inputs, contexts: read } = await written().read();
  // docs/guide.md gives these numbers.
  const splits = ["pairs", "pairs", "pairs", "pairs", "validation", "validation", "test", "test"];
  expect(read.map(({ id, families }) => [id, families.map(({ split }) => split)])).toEqual(contexts.map((id) => [id, splits]));
  expect(inputs.humanData.text.trim().split("\n")).toHaveLength(2 * 20);
});
