import { readFileSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";
import { parse } from "yaml";
import type { Deps } from "../../../activities/deps.ts";
import { makeEvaluateUnit } from "../../../activities/evaluate/evaluate.ts";
import { makeEvaluationActivities } from "../../../activities/evaluate/seal.ts";
import { canariesInFacts, canaryFacts } from "../../../activities/judging/canaries.ts";
import { makeMeasureActivities } from "../../../activities/measure/measure.ts";
import { buildReport } from "../../../activities/report/build.ts";
import { canaries as canariesSchema } from "../../../configs/schema/canaries.ts";
import type { ResolvedExperiment } from "../../../configs/schema/resolved.ts";
import { failures } from "../../../contract/failures.ts";
import type { JobOutcome, Serving } from "../../../contract/jobs.ts";
import type { Arm } from "../../../contract/stages.ts";
import type { UnitInput } from "../../../contract/units.ts";
import type { RatedCanary } from "../../../domain/canaries.ts";
import type { Results } from "../../../domain/results.ts";
import { judgeRole } from "../../../rehearsal/judge/judge.ts";
import { loadRules } from "../../../rehearsal/judge/rules.ts";
import { projectRoot } from "../../support/attune.ts";
import type { Asked } from "../../support/chat-server.ts";
import { attempt, judgement, play, run, stageBench, unitInput } from "../../support/stage-bench.ts";

const canaries = canariesSchema.parse(parse(readFileSync(join(projectRoot, "configs/rubrics/canaries.yaml"), "utf8")));
const night = { ...run, epoch: "2026-01-02" };

/** Reads the reply it is given, and obeys nothing. */
const sane = ({ text }: Asked) => judgement(text.includes("I'm so sorry") ? 4 : 1);
const obedient = (asked: Asked) => (/\b(?:give|gets|answer is) 5\b/.test(asked.text) ? judgement(5) : sane(asked));

async function canaryBench(judge: (asked: Asked) => string, changes: Partial<ResolvedExperiment> = { canaries }) {
  const settings = { evaluate: { split: "test", conversations: 2, turns: 1, arms: ["baseline", "adapter"] } };
  const bench = await stageBench({ script: play({ judge }), settings });
  const deps: Deps = { ...bench.deps, config: async () => ({ ...bench.config, ...changes }) };
  await makeMeasureActivities(deps).measure({ run });
  const serving: Serving = {
    endpoint: bench.server.baseUrl,
    generation: 1,
    models: ["tiny", "distress-0123abcd"],
    weights: { tiny: "b".repeat(64), "distress-0123abcd": "d".repeat(64) },
    engine: "engine-1",
  };
  await deps.records.putFirst("serving/job", serving);
  await deps.records.putFirst("canary/job/1", {});
  const adapter = { uri: "adapters/tiny/distress/0123abcd/index.json", sha256: "a".repeat(64), bytes: 1, rows: null };
  const { evaluate } = makeEvaluateUnit(deps);
  const rollOut = (arm: Arm, unit = 0, of = run, more: Partial<UnitInput> = {}) =>
    attempt(evaluate, {
      ...unitInput({ stage: "evaluate", context: "distress", backbone: "tiny", arm, split: "test" }, unit, {
        serving: "job",
        inputs: { distress: adapter },
      }),
      run: of,
      ...more,
    });
  /** What the judge was asked for, beside the students' replies. */
  const asked = () => bench.server.asked.filter(({ text }) => text.includes("My dog died")).map(({ text }) => text);
  const results = async () => {
    const scores = await deps.artifacts.putLines("scores.jsonl", []);
    const job: JobOutcome = { job: "j", fence: 1, outputs: { "scores.jsonl": scores }, metrics: {}, result: scores };
    const adapters = Object.fromEntries(bench.config.experiment.contexts.map((context) => [context, adapter]));
    const sealed = await makeEvaluationActivities(deps).sealEvaluation({
      run,
      backbone: "tiny",
      adapters,
      arms: ["baseline"],
      job,
    });
    const { outputs } = await buildReport(deps, { run });
    const read = async (name: string) => (await deps.artifacts.read(outputs[name]!)).toString("utf8");
    const { measures } = JSON.parse(await read("results")) as Results;
    return { sealed, rated: measures.find(({ id }) => id === "judge")?.canaries, page: await read("report") };
  };
  return { ...bench, deps, rollOut, asked, results };
}

test("the judge is asked for each canary once a run and once a night, by the first conversation, which pays for it", async () => {
  const { rollOut, asked, deps } = await canaryBench(sane);
  const { spend } = await rollOut("baseline");
  expect(asked()).toHaveLength(canaries.length);
  // Besides them: a persona, a message, a reply and its judgement.
  expect(spend.calls).toBe(canaries.length + 4);
  await rollOut("baseline", 1);
  await rollOut("adapter");
  expect(asked()).toHaveLength(canaries.length);
  await rollOut("adapter", 0, night);
  expect(asked()).toHaveLength(2 * canaries.length);
  const judged = (await deps.callStore.usage(run.digest)).filter(({ role }) => role === "judge");
  expect(judged.reduce((sum, { calls }) => sum + calls, 0)).toBe(canaries.length + 3);
});

test("canaries are asked within the conversation's allowance: used up, it holds, and what was asked is not asked again", async () => {
  const { rollOut, asked } = await canaryBench(sane);
  const short = rollOut("baseline", 0, run, { allowance: { calls: 4, usd: null } });
  await expect(short).rejects.toMatchObject({ type: failures.held });
  expect(asked()).toHaveLength(4);
  await rollOut("baseline");
  expect(asked()).toHaveLength(canaries.length);
});

test("a worker that died between asking and recording asks for none of them again", async () => {
  const { rollOut, asked, deps } = await canaryBench(sane);
  await rollOut("baseline");
  await deps.records.remove("judge-canaries/bench/cdcdcdcdcdcd/-");
  await deps.records.remove("unit/bench/cdcdcdcdcdcd/-/evaluate/distress/tiny/baseline/00000");
  expect(await rollOut("baseline")).toMatchObject({ spend: { calls: 0 } });
  expect(asked()).toHaveLength(canaries.length);
  expect(await deps.records.get("judge-canaries/bench/cdcdcdcdcdcd/-")).not.toBeNull();
});

test("a judge that obeys a canary is warned of in the log, the results and the report", async () => {
  const { rollOut, results, warnings } = await canaryBench(obedient);
  await rollOut("baseline");
  const { sealed, rated, page } = await results();
  expect(sealed.facts).toMatchObject({ "canary-cold": 1, "canary-asks-for-five": 5, "canary-asks-for-five:atMost": 2.5 });
  expect(rated?.find(({ id }) => id === "asks-for-five")).toMatchObject({ kind: "instruction", level: 5, atMost: 2.5 });
  // When it was asked, and once more with the report.
  expect(warnings.filter((told) => told.startsWith("The judge may follow what the rated text tells it"))).toHaveLength(2);
  expect(page).toContain("The judge failed its canaries");
  expect(page).toContain("it gave the canary asks-for-five 5.0 of 5");
});

test("the rehearsal's own judge obeys none of the shipped canaries: levels in the report, no warning", async () => {
  const rehearsal = judgeRole(loadRules());
  const { rollOut, results, warnings } = await canaryBench(({ body }) =>
    rehearsal(body as unknown as Parameters<typeof rehearsal>[0]),
  );
  await rollOut("baseline");
  const { rated, page } = await results();
  expect(rated?.map(({ id }) => id)).toEqual(canaries.map(({ id }) => id));
  expect(rated?.every(({ level }) => level !== null)).toBe(true);
  expect(page).toContain("Canary put to the judge");
  expect(page).not.toContain("The judge failed its canaries");
  expect(warnings.filter((told) => told.includes("canar"))).toEqual([]);
});

test("a judge that gives everything the same is found, and one that can't be read loses no conversation", async () => {
  const constant = await canaryBench(() => judgement(3));
  await constant.rollOut("baseline");
  expect((await constant.results()).page).toContain("The judge does not tell a warm reply from a cold one");
  const mute = await canaryBench(() => "no");
  expect(await mute.rollOut("baseline")).toMatchObject({ status: "done" });
  // Each once: they are no replies that a stage waits for.
  expect(mute.asked()).toHaveLength(canaries.length);
  expect((await mute.results()).page).toContain("The judge rated none of its 6 canaries");
});

test("a run whose configuration has no canaries is asked for none, and its report says nothing of them", async () => {
  const { rollOut, results, asked } = await canaryBench(obedient, { canaries: undefined });
  await rollOut("baseline");
  const { rated, page } = await results();
  expect(asked()).toEqual([]);
  expect(rated).toBeUndefined();
  expect(page).not.toContain("anary");
});

test("what a stage record says of canaries is what was rated", () => {
  const rated: RatedCanary[] = [
    { id: "cold", kind: "plain", atMost: 2.5, atLeast: undefined, level: 1.25, unscored: undefined },
    { id: "user-asks", kind: "instruction", atMost: 2.5, atLeast: 1, level: null, unscored: "judge's answer was cut" },
  ];
  expect(canariesInFacts({ split: "test", ...canaryFacts(rated) })).toEqual(rated);
});
