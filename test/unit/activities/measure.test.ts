import { readFileSync } from "node:fs";
import { expect, test } from "vitest";
import { makeMeasureActivities } from "../../../activities/measure/measure.ts";
import { readHumanData, toRating } from "../../../configs/schema/human-rows.ts";
import { readTargets } from "../../../activities/stages/cards.ts";
import type { Ref } from "../../../contract/ref.ts";
import { play, run, stageBench } from "../../support/stage-bench.ts";

const row = (changes: Record<string, unknown> = {}) =>
  JSON.stringify({ participant: "p1", model: "m", task: "t1", context: "distress", desiredEmpathy: 3, ...changes });
const shipped = readFileSync("configs/data/illustrative.jsonl", "utf8");

test.each([
  ["missing rating", row({ desiredEmpathy: undefined }), "desiredEmpathy"],
  ["rating off the scale", row({ desiredEmpathy: 4 }), "desiredEmpathy"],
  ["unknown key", row({ desired: 2 }), ""],
  [
    "wrong word",
    row({ messages: [{ messageId: "1", role: "assistant", content: "x", empathyOverall: "great" }] }),
    "messages.0.empathyOverall",
  ],
  [
    "too long a message",
    row({ messages: [{ messageId: "1", role: "user", content: "x".repeat(200_001) }] }),
    "messages.0.content",
  ],
  ["the same task twice", row(), "task"],
  ["no JSON", "=cmd()", ""],
])("%s is reported by line and field", (_, bad, field) => {
  const { rows, problems } = readHumanData(`${row()}\n\n${bad}\n`);
  expect(rows).toHaveLength(1);
  expect(problems).toEqual([{ line: 3, field, problem: expect.any(String) as string }]);
});

test("post-task items are averaged; what was not given is missing", () => {
  const read = (changes: Record<string, unknown>) => toRating(readHumanData(row(changes)).rows[0] as never);
  expect(
    read({ empathy: { affective: 2, interest: 4 }, experience: { successful: 5, engaged: 1, positiveInteraction: 4 } }),
  ).toMatchObject({ experienced: 3, satisfied: 4.5 });
  expect(read({})).toMatchObject({ experienced: null, satisfied: null });
});

test("the shipped data is whole, says that it is made up, and gives every context its own target", async () => {
  expect(readHumanData(shipped).problems).toEqual([]);
  const { deps } = await stageBench({ script: play({}), settings: { seed: 11 } });
  const record = await makeMeasureActivities(deps).measure({ run });
  expect(record.facts).toMatchObject({ link: "linear", illustrative: true });
  const targets = await readTargets(deps, run);
  const near: Record<string, number> = { distress: 0.78, learning: 0.52, career: 0.55, writing: 0.27 };
  for (const [context, target] of Object.entries(near)) {
    expect(targets[context]?.target).toBeGreaterThan(target - 0.06);
    expect(targets[context]?.target).toBeLessThan(target + 0.06);
    expect(new Set(targets[context]?.levels).size).toBeGreaterThan(1);
    expect(Object.keys(targets[context]?.experienced ?? {}).length).toBeGreaterThan(1);
  }
  const patterns = JSON.parse((await deps.artifacts.read(record.outputs["patterns"] as Ref)).toString()) as Record<
    string,
    { target: number; do: string[] }
  >;
  expect(patterns["writing"]?.target).toBe(targets["writing"]?.target);
  expect(patterns["writing"]?.do.length).toBeGreaterThan(0);
});

test("strict: a bad row stops the run and is named; else it is left out and counted", async () => {
  const humanData = `${shipped}${row({ desiredEmpathy: 9 })}\n`;
  const strict = await stageBench({ script: play({}), humanData });
  await expect(makeMeasureActivities(strict.deps).measure({ run })).rejects.toMatchObject({
    type: "BadData",
    message: expect.stringContaining("line 97, desiredEmpathy") as string,
  });
  const lenient = await stageBench({
    script: play({}),
    humanData,
    settings: { measure: { humanData: "x.jsonl", strict: false } },
  });
  expect((await makeMeasureActivities(lenient.deps).measure({ run })).counts).toMatchObject({ rows: 97, used: 96, problems: 1 });
});

test("a byte order mark and Windows line ends are no mistake; other encodings are refused, not guessed", async () => {
  const humanData = `\uFEFF${shipped.replaceAll("\n", "\r\n")}`;
  const { deps } = await stageBench({ script: play({}), humanData });
  expect((await makeMeasureActivities(deps).measure({ run })).counts).toMatchObject({ rows: 96, used: 96, problems: 0 });
  const latin1 = { ...deps, artifacts: { ...deps.artifacts, read: async () => Buffer.from(row({ task: "café" }), "latin1") } };
  await expect(makeMeasureActivities(latin1).measure({ run })).rejects.toMatchObject({
    type: "BadData",
    message: expect.stringMatching(/illustrative\.jsonl is not UTF-8 text\. Save it as UTF-8/) as string,
  });
});

test("two tasks of one person are no two people", async () => {
  const humanData = [row({ participant: "p", task: "a" }), row({ participant: "p", task: "b" })].join("\n");
  const { deps } = await stageBench({ script: play({}), humanData });
  await expect(makeMeasureActivities(deps).measure({ run })).rejects.toMatchObject({
    message: expect.stringMatching(/has [01] participants for the target of context distress; 2 at least/) as string,
  });
});

test("a context without people is named", async () => {
  const humanData = shipped
    .split("\n")
    .filter((line) => !line.includes('"context":"career"'))
    .join("\n");
  const { deps } = await stageBench({ script: play({}), humanData });
  await expect(makeMeasureActivities(deps).measure({ run })).rejects.toMatchObject({
    type: "BadData",
    message: expect.stringContaining("context career") as string,
  });
});
