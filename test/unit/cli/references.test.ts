import { describe, expect, test } from "vitest";
import { humanDataFile } from "../../../cli/init/files.ts";
import { written } from "../../support/new-experiment.ts";

const data = "experiments/support/human-data.jsonl";
const shipped = humanDataFile(["support-a", "support-b"]);
const row = (changes: Record<string, unknown> = {}) =>
  `${JSON.stringify({ participant: "p1", model: "m", task: "t1", context: "support-a", desiredEmpathy: 3, ...changes })}\n`;

/** The error that a text as human data leads to. */
async function refusal(content: string | Buffer, ...sets: readonly string[]): Promise<string> {
  const project = written();
  project.put(data, content);
  const error: unknown = await project.read(...sets).catch((thrown: unknown) => thrown);
  expect(error).toMatchObject({ name: "CliError", exitCode: 2 });
  return (error as Error).message;
}

describe("human data is looked into before a run starts", () => {
  test.each([
    [
      "a bad row",
      row({ desiredEmpathy: 9 }) + shipped,
      /human-data\.jsonl:1: desiredEmpathy: .*\n.*Mend these rows, or set measure\.strict to false/,
    ],
    ["no JSON", `=cmd()\n${shipped}`, /human-data\.jsonl:1: is no JSON/],
    ["a task twice", row() + row() + shipped, /human-data\.jsonl:2: task: participant p1 has this task already/],
    [
      "a context nobody knows",
      row({ context: "suport-a" }) + row({ context: "suport-a", task: "t2" }) + shipped,
      /human-data\.jsonl:1: context: suport-a has no file among the contexts \(2 rows name it\); did you mean support-a\?/,
    ],
    ["many bad rows", "x\n".repeat(12) + shipped, /human-data\.jsonl:10: is no JSON\n +… and 2 more/],
    ["nothing", "", /human-data\.jsonl \(measure\.humanData\) is empty/],
    ["blank lines", "\n\r\n", /is empty; write a row/],
    ["another encoding", Buffer.from(shipped + row({ task: "café" }), "latin1"), /is not UTF-8 text; save it as UTF-8/],
    [
      "too few people",
      humanDataFile(["support-a"]) + row({ context: "support-b" }),
      /has 1 participants of context support-b, .* 2 at least are needed .*Add rows/,
    ],
  ])("%s", async (_, content, message) => {
    expect(await refusal(content)).toMatch(message);
  });

  test("ratings that a link needs", async () => {
    expect(await refusal(shipped, "measure.link=equipercentile")).toMatch(
      /measure\.link: .*needs post-task empathy ratings.*use link linear/,
    );
  });

  test("a folder", async () => {
    await expect(written().read("measure.humanData=configs/prompts")).rejects.toThrow(
      /measure\.humanData is configs\/prompts, which is no file; name the JSONL file/,
    );
  });

  test("without strict, bad rows are left out; too few people stay too few", async () => {
    const project = written();
    project.put(data, row({ desiredEmpathy: 9 }) + row({ context: "elsewhere" }) + shipped);
    await expect(project.read()).rejects.toThrow(/:1: .*\n.*:2: /);
    await expect(project.read("measure.strict=false")).resolves.toBeDefined();
    expect(await refusal(row(), "measure.strict=false")).toMatch(/1 participants of context support-a/);
  });

  test("a byte order mark, Windows line ends and rows of a context that this experiment leaves out are no mistake", async () => {
    const project = written();
    project.put(data, `\uFEFF${shipped.replaceAll("\n", "\r\n")}`);
    await expect(project.read()).resolves.toBeDefined();
    await expect(project.read("contexts=[support-a]", "evaluate.arms=[baseline]")).resolves.toBeDefined();
  });
});

const label = (changes: Record<string, unknown> = {}) =>
  `${JSON.stringify({ family: "one", messages: [{ role: "user", content: "u" }], reply: "r", label: 0.5, ...changes })}\n`;

describe("labels of guide, evaluator and anchors have nothing in common", () => {
  test.each([
    [
      "one file for both",
      "reward.labels.evaluator=rehearsal/corpus/labels-guide.jsonl",
      /reward\.labels\.guide and reward\.labels\.evaluator hold the same rows/,
    ],
    [
      "the evaluator's rows as anchors",
      "reward.labels.anchors=rehearsal/corpus/labels-evaluator.jsonl",
      /reward\.labels\.evaluator and reward\.labels\.anchors hold the same rows/,
    ],
  ])("%s", async (_, set, message) => {
    await expect(written().read(set)).rejects.toThrow(message);
  });

  test("shared families are named, two of them", async () => {
    const project = written();
    const files = { guide: ["one", "two", "three"], evaluator: ["four", "five"], anchors: ["three", "two", "one", "six"] };
    for (const [name, families] of Object.entries(files))
      project.put(`own/${name}.jsonl`, families.map((family) => label({ family })).join(""));
    const sets = Object.keys(files).map((name) => `reward.labels.${name}=own/${name}.jsonl`);
    await expect(project.read(...sets)).rejects.toMatchObject({
      exitCode: 2,
      message: expect.stringMatching(
        /reward\.labels\.guide and reward\.labels\.anchors share families: one, three and 1 more/,
      ) as string,
    });
    project.put("own/anchors.jsonl", label({ family: "six" }));
    await expect(project.read(...sets)).resolves.toBeDefined();
    project.put("own/evaluator.jsonl", label({ family: "five" }));
    await expect(project.read(...sets)).rejects.toThrow(
      /evaluator\.jsonl \(reward\.labels\.evaluator\) has rows of one family only/,
    );
  });

  test.each([
    ["no family", label({ family: undefined }), /own\.jsonl:1: family: /],
    ["a level off the scale", label() + label({ label: 4 }), /own\.jsonl:2: label: /],
    [
      "no user at the end",
      label({ messages: [{ role: "assistant", content: "a" }] }),
      /own\.jsonl:1: messages: must end with a message of the user/,
    ],
    ["no JSON", "reply,label\n", /own\.jsonl:1: is no JSON\n.*Mend these rows of reward\.labels\.guide; docs\/guide\.md/],
  ])("%s is named by line and field", async (_, content, message) => {
    const project = written();
    project.put("own.jsonl", content);
    await expect(project.read("reward.labels.guide=own.jsonl")).rejects.toThrow(message);
  });
});
