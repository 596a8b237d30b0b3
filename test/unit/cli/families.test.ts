import { expect, test } from "vitest";
import { contextFile } from "../../../cli/init/files.ts";
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
