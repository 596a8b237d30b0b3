import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";
import { parse } from "yaml";
import { contextFile } from "../../../cli/init/files.ts";
import { context } from "../../../configs/schema/context.ts";
import { similarity } from "../../../domain/detectors.ts";
import { projectRoot } from "../../support/attune.ts";
import { written } from "../../support/new-experiment.ts";

const shipped = contextFile({ name: "support", folder: "experiments/support", up: "../../" }, "support-a", "A kind of talk");

/** Reads the experiment after a text in one of its contexts was replaced. */
function changed(from: string, to: string) {
  expect(shipped).toContain(from);
  const project = written();
  project.put("experiments/support/contexts/support-a.yaml", shipped.replaceAll(from, to));
  return project.read();
}

test("a scenario family that stands in two splits is refused by its name", async () => {
  // The seventh is of split test, the first of split pairs.
  await expect(changed("support-a-situation-7", "support-a-situation-1")).rejects.toMatchObject({
    exitCode: 2,
    message: expect.stringMatching(
      /support-a\.yaml:\d+: the family support-a-situation-1 is there twice; a family is in one split only/,
    ) as string,
  });
});

test("a split that the experiment uses and no family has is named", async () => {
  await expect(changed("split: pairs", "split: validation")).rejects.toThrow(
    /no family has split pairs, which this experiment uses/,
  );
});

test("a situation told twice in two splits is refused, naming both places and how near they are", async () => {
  await expect(
    changed("He learns the guitar and gets stuck on chords.", "They had to tell their team about this mistake."),
  ).rejects.toMatchObject({
    exitCode: 2,
    message: expect.stringMatching(
      /support-a\.yaml:\d+: support-a-situation-1 \(pairs\) is nearly the situation of support-a-situation-8 \(test\) at .*support-a\.yaml:\d+: \d\d % of their words are the same\n[^]*give the two one split, or write another/,
    ) as string,
  });
});

test("contexts leak into each other too; within a split situations may be alike", async () => {
  // The other context has the second in its split pairs.
  await expect(
    changed("Her brother stopped answering messages last month.", "A neighbour's dog barks all night and nothing helps."),
  ).rejects.toThrow(/support-b-situation-2 \(pairs\)/);
  await expect(
    changed("He learns the guitar and gets stuck on chords.", "Her brother stopped answering messages last month."),
  ).resolves.toBeDefined();
});

test("the shipped contexts are far from leaking", () => {
  const families = readdirSync(join(projectRoot, "configs/contexts")).flatMap(
    (file) => context.parse(parse(readFileSync(join(projectRoot, "configs/contexts", file), "utf8"))).families,
  );
  const shares = families.flatMap((one, i) =>
    families.slice(i + 1).flatMap((other) => (one.split === other.split ? [] : [similarity(one.situation, other.situation)])),
  );
  expect(Math.max(...shares)).toBeLessThan(0.3);
});
