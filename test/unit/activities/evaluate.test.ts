import { expect, test } from "vitest";
import { makeServingActivities } from "../../../activities/evaluate/canary.ts";
import { makeEvaluateUnit } from "../../../activities/evaluate/evaluate.ts";
import type { EvaluationRow } from "../../../contract/rows.ts";
import { makeEvaluationActivities } from "../../../activities/evaluate/seal.ts";
import { makeMeasureActivities } from "../../../activities/measure/measure.ts";
import { dropStageRecord } from "../../../activities/stages/records.ts";
import { readUnit } from "../../../activities/units.ts";
import type { JobOutcome, Serving } from "../../../contract/jobs.ts";
import type { Ref } from "../../../contract/ref.ts";
import { type Arm, arms } from "../../../contract/stages.ts";
import type { BatchGroup, RunRef } from "../../../contract/units.ts";
import { attempt, ownTurns, play, run, stageBench, unitInput } from "../../support/stage-bench.ts";

const adapter = (context: string): Ref => ({
  uri: `adapters/tiny/${context}/0123abcd/index.json`,
  sha256: "a".repeat(64),
  bytes: 1,
  rows: null,
});
const names = { tiny: "b".repeat(64), "distress-0123abcd": "d".repeat(64), "learning-0123abcd": "1".repeat(64) };

async function evaluationBench(lines: Parameters<typeof play>[0] = {}, { canaryPassed = true } = {}) {
  const bench = await stageBench({ script: play(lines) });
  const { deps, server } = bench;
  await makeMeasureActivities(deps).measure({ run });
  const serve = async (generation: number, changes: Partial<Serving> = {}) => {
    const serving: Serving = {
      endpoint: server.baseUrl,
      generation,
      models: Object.keys(names),
      weights: names,
      engine: "engine-1",
      ...changes,
    };
    await deps.records.put("serving/job", serving, (await deps.records.get("serving/job"))?.version ?? null);
    if (canaryPassed) await deps.records.putFirst(`canary/job/${generation}`, {});
  };
  await serve(1);
  const { evaluate } = makeEvaluateUnit(deps);
  const group = (arm: Arm): BatchGroup => ({ stage: "evaluate", context: "distress", backbone: "tiny", arm, split: "test" });
  const rollOut = (arm: Arm, unit = 0, of: RunRef = run, sha256 = adapter("distress").sha256) =>
    attempt(evaluate, {
      ...unitInput(group(arm), unit, {
        serving: "job",
        inputs: { distress: { ...adapter("distress"), sha256 }, learning: adapter("learning") },
      }),
      run: of,
    });
  const row = async (arm: Arm, unit = 0, of: RunRef = run) => (await readUnit(deps, of, group(arm), unit))?.row as EvaluationRow;
  return { ...bench, serve, rollOut, row };
}

test("all arms meet the same people in the same situations, and only the arm differs", async () => {
  const { rollOut, row, server } = await evaluationBench();
  for (const arm of arms) expect(await rollOut(arm)).toMatchObject({ status: "done" });
  const rows = await Promise.all(arms.map((arm) => row(arm)));
  const item = ({ family, persona, desired, unit, split }: EvaluationRow) => ({ family, persona, desired, unit, split });
  expect(rows.map(item)).toEqual(rows.map(() => item(rows[0] as EvaluationRow)));
  expect(rows.map(({ turns }) => turns[0]?.user)).toEqual(rows.map(() => rows[0]?.turns[0]?.user));
  expect(rows.map(({ model }) => model)).toEqual(["tiny", "tiny", "distress-0123abcd", "learning-0123abcd"]);
  expect(rows.every(({ turns }) => turns.length === 2)).toBe(true);
  const students = server.asked.filter(({ body }) => Object.keys(names).includes(body.model));
  const systems = students.map(({ body }) => body.messages[0]?.content ?? "");
  expect(systems.filter((system) => /Desired empathy level: 0\.\d\d of 1/.test(system))).toHaveLength(2);
  expect(systems.filter((system) => system === "You are a helpful assistant.")).toHaveLength(6);
  expect(JSON.stringify(students.map(({ body }) => body.messages))).not.toContain(`${rows[0]?.persona.prose}`);
});

test("families of an evaluation are of its split alone", async () => {
  const { rollOut, row, config } = await evaluationBench();
  const test = config.contexts[0]?.families.filter(({ split }) => split === "test").map(({ id }) => id);
  for (const unit of [0, 1, 2, 3]) await rollOut("baseline", unit);
  const met = await Promise.all([0, 1, 2, 3].map(async (unit) => (await row("baseline", unit)).family));
  expect(met.toSorted()).toEqual(test?.toSorted());
});

test.each([
  ["empty", { text: "" }, { empty: true, reply: "" }],
  ["truncated", { text: "I see and", finishReason: "length" }, { truncated: true, reply: "I see and" }],
  ["filtered", { text: "", finishReason: "content_filter" }, { refused: true, empty: true }],
  ["refused", { text: "I'm sorry, but I can't help with that." }, { refused: true, empty: false }],
])("%s replies are outcomes: taken as they are, once", async (_, reply, marks) => {
  const { rollOut, row, server } = await evaluationBench({ student: () => reply });
  expect(await rollOut("baseline")).toMatchObject({ status: "done" });
  const { turns } = await row("baseline");
  for (const turn of turns) expect(turn).toMatchObject({ ...marks, judged: { overall: 0.5 } });
  expect(server.asked.filter(({ body }) => body.model === "tiny")).toHaveLength(2);
});

test("a faulty simulated user loses no item: the message stands, marked", async () => {
  const { rollOut, row } = await evaluationBench({
    user: (asked) => (ownTurns(asked) === 0 ? "It went badly." : "How can I help you?"),
  });
  expect(await rollOut("baseline")).toMatchObject({ status: "done" });
  expect((await row("baseline")).turns.map(({ userFault }) => userFault)).toEqual([null, "offers-help"]);
});

test("a simulated user's refusal is no message that an arm could answer: the item is missing, by that reason", async () => {
  const { rollOut, row, server } = await evaluationBench({
    user: (asked) => (ownTurns(asked) === 0 ? "It went badly." : "I'm sorry, but I can't help with that."),
  });
  expect(await rollOut("baseline")).toMatchObject({ status: "dropped", reason: "user-refused" });
  expect(await row("baseline")).toBeNull();
  expect(server.asked.filter(({ body }) => body.model === "tiny")).toHaveLength(1);
});

test("a night asks afresh, of the same people", async () => {
  const { rollOut, row, server, deps } = await evaluationBench();
  await rollOut("baseline");
  const night = { ...run, epoch: "2026-01-02" };
  const before = server.asked.length;
  await rollOut("baseline", 0, night);
  const asked = server.asked.slice(before).map(({ body }) => body.messages[0]?.content ?? "");
  expect(asked.some((system) => system.startsWith("You invent people"))).toBe(false);
  expect(asked).toHaveLength(6);
  expect((await row("baseline", 0, night)).persona).toEqual((await row("baseline")).persona);
  expect(await deps.records.list("unit/bench/cdcdcdcdcdcd/2026-01-02/evaluate/")).toHaveLength(1);
});

test("a restarted server makes nothing be asked twice; another engine asks the student anew", async () => {
  const { rollOut, serve, server, deps } = await evaluationBench();
  await rollOut("baseline");
  const asked = server.asked.length;
  await deps.records.remove("unit/bench/cdcdcdcdcdcd/-/evaluate/distress/tiny/baseline/00000");
  await serve(2);
  expect(await rollOut("baseline")).toMatchObject({ spend: { calls: 0 } });
  await deps.records.remove("unit/bench/cdcdcdcdcdcd/-/evaluate/distress/tiny/baseline/00000");
  await serve(3, { engine: "engine-2" });
  expect(await rollOut("baseline")).toMatchObject({ spend: { calls: 2 } });
  expect(server.asked.length).toBe(asked + 2);
});

test("the canary asks every name once a generation, and waits for a new one", async () => {
  const { deps, serve, server } = await evaluationBench({}, { canaryPassed: false });
  const { awaitServing } = makeServingActivities(deps);
  expect(await attempt(awaitServing, { run, serving: "job", afterGeneration: 0 })).toMatchObject({ generation: 1 });
  expect(server.asked).toHaveLength(9);
  expect(server.asked.every(({ body }) => body["temperature"] === 0)).toBe(true);
  await attempt(awaitServing, { run, serving: "job", afterGeneration: 0 });
  expect(server.asked).toHaveLength(9);
  const waiting = attempt(awaitServing, { run, serving: "job", afterGeneration: 1 });
  await serve(2);
  expect(await waiting).toMatchObject({ generation: 2 });
  expect(server.asked).toHaveLength(18);
});

test("nothing is asked of a generation whose canary has not passed", async () => {
  const { rollOut, server } = await evaluationBench({}, { canaryPassed: false });
  await expect(rollOut("adapter")).rejects.toMatchObject({ type: "ProviderUnavailable" });
  expect(server.asked.filter(({ body }) => body.messages[0]?.content.startsWith("You are a helpful assistant"))).toHaveLength(0);
});

test("a unit that another adapter spoke in is worked again; one without an adapter stands", async () => {
  const { rollOut, deps } = await evaluationBench();
  const basisOf = async (arm: Arm) => {
    const stored = await deps.records.get(`unit/bench/cdcdcdcdcdcd/-/evaluate/distress/tiny/${arm}/00000`);
    return { basis: (stored?.value as { basis: string } | undefined)?.basis, version: stored?.version };
  };
  await rollOut("adapter");
  await rollOut("baseline");
  const [adapter, baseline] = [await basisOf("adapter"), await basisOf("baseline")];
  await rollOut("adapter", 0, run, "f".repeat(64));
  await rollOut("baseline", 0, run, "f".repeat(64));
  expect((await basisOf("adapter")).basis).toBe("f".repeat(64));
  expect((await basisOf("adapter")).version).not.toBe(adapter.version);
  expect(await basisOf("baseline")).toEqual({ basis: "", version: baseline.version });
});

test("an adapter that changes nothing fails the canary by name", async () => {
  const { deps } = await evaluationBench(
    { student: ({ body }) => (body.model === "learning-0123abcd" ? "I am tiny." : `I am ${body.model}.`) },
    { canaryPassed: false },
  );
  const failure = attempt(makeServingActivities(deps).awaitServing, { run, serving: "job", afterGeneration: 0 });
  await expect(failure).rejects.toMatchObject({
    type: "CanaryFailed",
    nonRetryable: true,
    message: expect.stringMatching(/^learning-0123abcd answer/) as string,
  });
  expect(await deps.records.get("canary/job/1")).toBeNull();
});

test("sealing joins every turn with its scores, a missing score is null, and counts a conversation without a record as failed", async () => {
  const { rollOut, deps, config } = await evaluationBench();
  for (const arm of ["baseline", "adapter"] as const) await rollOut(arm);
  await dropStageRecord(deps, run, "measure");
  await expect(rollOut("baseline", 1)).rejects.toMatchObject({ type: "BadData" });
  await makeMeasureActivities(deps).measure({ run });
  const { prepareEvaluationScore, sealEvaluation } = makeEvaluationActivities(deps);
  const what = {
    run,
    backbone: "tiny",
    adapters: Object.fromEntries(config.experiment.contexts.map((context) => [context, adapter(context)])),
    arms: ["baseline", "system_prompt", "adapter", "wrong_adapter"] as const,
  };
  const draft = await prepareEvaluationScore({ ...what, scorers: {} });
  const rows: { id: string; messages: unknown[] }[] = [];
  for await (const row of deps.artifacts.readLines(draft.files[0]?.ref as Ref))
    rows.push(row as { id: string; messages: unknown[] });
  expect(rows.map(({ messages }) => messages.length)).toEqual([1, 3, 1, 3]);
  expect(new Set(rows.map(({ id }) => id)).size).toBe(4);
  const scores = await deps.artifacts.putLines(
    "scores.jsonl",
    rows.slice(1).map(({ id }) => ({ id, scores: { evaluator: 0.4, "preference-distress": 0.6, "preference-learning": 0.1 } })),
  );
  const job: JobOutcome = { job: "j", fence: 1, outputs: { "scores.jsonl": scores }, metrics: {}, result: scores };
  const record = await sealEvaluation({ ...what, job });
  expect(record).toMatchObject({ key: "evaluate/tiny", facts: { split: "test" } });
  expect(record.counts).toEqual({ asked: 4 * 4 * 2, done: 2, dropped: 0, failed: 30, "failed:no-record": 30 });
  const scored: EvaluationRow[] = [];
  for await (const row of deps.artifacts.readLines(record.outputs["rows"] as Ref)) scored.push(row as EvaluationRow);
  expect(scored.map(({ arm }) => arm)).toEqual(["baseline", "adapter"]);
  expect(scored.flatMap(({ turns }) => turns)).toMatchObject([
    { scores: { evaluator: null, preference: null } },
    { scores: { evaluator: 0.4, preference: 0.6 } },
    { scores: { evaluator: 0.4, preference: 0.6 } },
    { scores: { evaluator: 0.4, preference: 0.6 } },
  ]);
  const retrained = { ...what.adapters, distress: { ...adapter("distress"), sha256: "f".repeat(64) } };
  await dropStageRecord(deps, run, "evaluate/tiny");
  const left = await sealEvaluation({ ...what, adapters: retrained, arms: ["baseline", "adapter"], job });
  expect(left.counts).toMatchObject({ asked: 4 * 2 * 2, done: 1, dropped: 0, failed: 15 });
  expect(left.counts).toMatchObject({ "failed:not-tried-with-this-adapter": 1, "failed:no-record": 14 });
});
