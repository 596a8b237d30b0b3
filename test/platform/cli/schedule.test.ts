import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { afterAll, beforeAll, expect, test } from "vitest";
import { bench, lines, setUp, tearDown } from "./bench.ts";
import { tempFolder } from "../../support/temp-folder.ts";

beforeAll(setUp);
afterAll(tearDown);

test("a schedule: applied twice it is one, triggered it gives its verdict, skips are shown", async () => {
  const { attune, publish } = await bench();
  await publish("better", "worse");
  const file = join(tempFolder(), "nights.yaml");
  const write = (experiment: string, cron = "0 3 * * *") =>
    writeFileSync(file, `id: nights-of-a-test\nexperiment: ${experiment}\ncron: "${cron}"\noverlap: skip\ncatchupWindow: 6h\n`);
  write("better");
  expect((await attune("schedule", "apply", file)).stdout).toMatch(
    /^Created nights-of-a-test; next night \d{4}-\d\d-\d\dT03:00:00Z/,
  );
  expect((await attune("schedule", "apply", file)).stdout).toMatch(/^Updated/);
  expect(await attune("schedule", "trigger", "nights-of-a-test", "--wait")).toMatchObject({
    exitCode: 0,
    stdout: expect.stringMatching(/Night 2026-01-02: passed/),
  });
  write("worse");
  await attune("schedule", "apply", file);
  expect(await attune("schedule", "trigger", "nights-of-a-test", "--wait")).toMatchObject({
    exitCode: 100,
    stdout: expect.stringMatching(/regressed \(distress\)/),
  });
  // The noun alone lists.
  const [[row]] = lines((await attune("schedule", "--json")).stdout) as unknown as [[Record<string, unknown>]];
  expect(row).toMatchObject({
    id: "nights-of-a-test",
    taken: 2,
    skippedOverlap: 0,
    missedCatchupWindow: 0,
    policies: { overlap: "SKIP", catchupWindow: 6 * 3_600_000, pauseOnFailure: true },
  });
  write("better", "61 3 * * *");
  expect(await attune("schedule", "apply", file)).toMatchObject({
    exitCode: 2,
    stderr: expect.stringMatching(/Schedule nights-of-a-test can't be set: Minute is not in range/),
  });
  expect(await attune("schedule", "delete", "nights-of-a-test")).toMatchObject({ exitCode: 0 });
  expect(await attune("schedule", "trigger", "nights-of-a-test")).toMatchObject({ exitCode: 2 });
});

test("an experiment that has published nothing gets no schedule", async () => {
  const { attune, publish } = await bench();
  await publish("smoke");
  const file = join(tempFolder(), "nights.yaml");
  writeFileSync(file, `id: nights-of-nothing\nexperiment: smokes\ncron: "0 3 * * *"\noverlap: skip\ncatchupWindow: 6h\n`);
  expect(await attune("schedule", "apply", file)).toMatchObject({
    exitCode: 2,
    stderr: expect.stringMatching(
      /smokes, which has published no experts.*did you mean smoke\? Run the experiment to its end first/,
    ),
  });
  expect((await attune("schedule")).stdout).not.toContain("nights-of-nothing");
  expect(await attune("schedule", "aply", file)).toMatchObject({
    exitCode: 2,
    stderr: expect.stringMatching(/unknown command 'schedule aply'; there are apply, ls/),
  });
});
