import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import type { Deps } from "../../../activities/deps.ts";
import { makeReportActivities } from "../../../activities/report/activities.ts";
import { writeStageRecord } from "../../../activities/stages/records.ts";
import { judgeCanariesKey } from "../../../contract/places.ts";
import type { StageRecord } from "../../../contract/stages.ts";
import type { RunRef } from "../../../contract/units.ts";
import type { Results } from "../../../domain/results.ts";
import { summary } from "../../../domain/summary.ts";
import type { Item } from "../../../domain/gap/items.ts";
import { localArtifacts } from "../../../platform/artifacts/local.ts";
import { sqliteCalls } from "../../../platform/calls/sqlite.ts";
import { sqliteRecords } from "../../../platform/records/sqlite.ts";
import { consoleLogger } from "../../../platform/telemetry/log.ts";
import { storedCall } from "../../support/stored-call.ts";
import { runData } from "../../fixtures/report/run-data.ts";

const data = runData();
const { run, config } = data;
const contexts = config.contexts.map((c) => c.id);
let home: string;
let deps: Deps;

beforeEach(async () => {
  home = await mkdtemp(join(tmpdir(), "attune-report-"));
  deps = {
    artifacts: localArtifacts(join(home, "artifacts")),
    records: sqliteRecords(join(home, "records.db")),
    callStore: sqliteCalls(join(home, "calls.db")),
    caller: {} as Deps["caller"],
    config: () => Promise.resolve(config),
    env: { home, projectRoot: home, python: "python3", codeVersion: "0.1.0", now: () => new Date("2026-01-02T03:04:05Z") },
    log: consoleLogger(),
  };
});
afterEach(async () => {
  await deps.callStore.close();
  deps.records.close();
  await rm(home, { recursive: true });
});

const rowsOf = (items: Readonly<Record<string, Readonly<Record<string, readonly Item[]>>>>) =>
  Object.entries(items).flatMap(([context, arms]) =>
    Object.entries(arms).flatMap(([arm, list]) =>
      list.map(({ turns, ...item }) => ({
        ...item,
        context,
        arm,
        persona: { name: "Mara", age: 34, occupation: "nurse", manner: "dry", prose: "Short sentences." },
        turns: turns.map((t) => ({
          ...t,
          judged: { overall: t.judged, dimensions: {} },
          scores: { evaluator: t.score, preference: t.preference },
        })),
      })),
    ),
  );

const targetOf = (context: string) => ({
  target: data.desired[context]?.mean ?? 0,
  sd: 0.2,
  n: 14,
  levels: [0.5, 1],
  experienced: {},
});

async function seal(
  at: RunRef,
  key: string,
  facts: StageRecord["facts"],
  counts: StageRecord["counts"],
  outputs: Readonly<Record<string, unknown>>,
) {
  const refs: Record<string, StageRecord["outputs"][string]> = {};
  for (const [name, value] of Object.entries(outputs)) {
    const uri = `runs/${at.name}/${at.epoch || "run"}/${key}/${name}.jsonl`;
    refs[name] = Array.isArray(value)
      ? await deps.artifacts.putLines(uri, value)
      : await deps.artifacts.put(uri, JSON.stringify(value));
  }
  await writeStageRecord(deps, at, { key, stage: key.split("/")[0] as StageRecord["stage"], outputs: refs, counts, facts });
}

/** What the stages before `report` leave. */
/** A run with its report, published, and a night over it that has been opened. */
async function nightAfterRun(date: string) {
  await sealRun();
  const activities = makeReportActivities(deps);
  await activities.buildReport({ run });
  await activities.publish({ run });
  return { activities, night: await activities.openNight({ experiment: run.name, night: date }) };
}

async function sealRun() {
  await seal(run, "measure", { illustrative: true }, {}, { targets: Object.fromEntries(contexts.map((c) => [c, targetOf(c)])) });
  for (const id of ["guide", "evaluator"])
    await seal(run, `reward/${id}`, { mae: 0.07, calibrationSlope: 0.9, spearman: 0.9, n: 100 }, {}, { model: { id } });
  for (const context of contexts) {
    await seal(
      run,
      `converse/${context}`,
      { "pii-email": 3 },
      { asked: 24, done: 22, dropped: 2, "dropped:lists": 2 },
      { conversations: [] },
    );
    await seal(
      run,
      `steer/${context}`,
      {},
      { asked: 22, done: 22, pairsAsked: 96, pairs: 70, pairsDropped: 26, "pairsDropped:judge-margin": 26 },
      { pairs: [{ chosen: [{ role: "assistant", content: "That sounds really hard, and it makes sense." }] }] },
    );
    await seal(run, `reward/preference-${context}`, {}, {}, { model: { context } });
    await seal(
      run,
      `align/smollm2-135m/${context}`,
      { name: `${context}-12345678`, digest8: "12345678" },
      {},
      { adapter: { context } },
    );
  }
  await seal(run, "evaluate/smollm2-135m", {}, {}, { rows: rowsOf(data.items["smollm2-135m"] ?? {}) });
}

describe("report", () => {
  test("results.json holds the promised keys", async () => {
    await sealRun();
    const record = await makeReportActivities(deps).buildReport({ run });
    const results = JSON.parse((await deps.artifacts.read(record.outputs["results"]!)).toString()) as Results;
    expect(results).toMatchObject({
      experiment: "quickstart",
      digest: run.digest,
      rehearsal: true,
      headline: { evidence: "none" },
      usage: { calls: 0, costUsd: 0 },
    });
    expect(results.headline.gapReduction.pooled).toMatchObject({
      value: expect.any(Number),
      ci95: [expect.any(Number), expect.any(Number)],
    });
    const context = results.backbones[0]?.contexts[0];
    expect(context?.desired).toMatchObject({ mean: 0.78, n: 14, illustrative: true });
    expect(Object.keys(context?.arms ?? {})).toEqual(["baseline", "system_prompt", "adapter", "wrong_adapter"]);
    for (const key of ["mean", "ci95", "n", "missing", "refused", "truncated", "perTurn", "slope", "gap"])
      expect(context?.arms["adapter"]).toHaveProperty(key);
    expect(results.data[0]).toEqual({
      context: "distress",
      conversations: { asked: 24, kept: 22, dropped: { lists: 2 }, pii: { email: 3 } },
      pairs: { asked: 96, kept: 70, keptBy: {}, dropped: { "judge-margin": 26 } },
    });
    expect(record.facts["verdict"]).toBe("gap reduced");
    const page = (await deps.artifacts.read(record.outputs["report"]!)).toString();
    expect(page).toContain("Rehearsal: not evidence");
    expect(page).toContain("Text that looks personal: 3 like e-mail addresses.");
  });

  test("a provider that changed the model behind a name is told by the run's own calls", async () => {
    await sealRun();
    const called = (stage: string, model: string) =>
      deps.callStore.put(
        storedCall(stage, { labels: { run: run.digest, stage, context: "distress", arm: "" }, role: "judge", model }),
      );
    await called("steer", "rehearsal-3fa9c2");
    await called("evaluate", "rehearsal-77b1aa");
    const { outputs } = await makeReportActivities(deps).buildReport({ run });
    const { provenance } = JSON.parse((await deps.artifacts.read(outputs["results"]!)).toString()) as Results;
    expect(provenance.answered).toEqual([
      {
        role: "judge",
        asked: "rehearsal-3fa9c2",
        answered: [
          { model: "rehearsal-3fa9c2", answers: 1, stages: ["steer"] },
          { model: "rehearsal-77b1aa", answers: 1, stages: ["evaluate"] },
        ],
        state: "mix",
      },
    ]);
    expect((await deps.artifacts.read(outputs["report"]!)).toString()).toContain("Models changed");
  });

  test("answers of one model under several fingerprints are a note in the results and the report, no change of models", async () => {
    await sealRun();
    for (const [stage, fingerprint] of [
      ["steer", "fp-1"],
      ["evaluate", "fp-2"],
    ] as const) {
      const labels = { run: run.digest, stage, context: "distress", arm: "" };
      await deps.callStore.put(storedCall(stage, { labels, role: "judge", model: "rehearsal-3fa9c2", fingerprint }));
    }
    const { outputs } = await makeReportActivities(deps).buildReport({ run });
    const results = JSON.parse((await deps.artifacts.read(outputs["results"]!)).toString()) as Results;
    expect(results.provenance.answered).toMatchObject([{ role: "judge", state: "as asked" }]);
    const note = "rehearsal-3fa9c2 answered as judge under 2 fingerprints: fp-1 (1 answer, steer), fp-2 (1 answer, evaluate)";
    expect(summary(results)).toContain(`Note: ${note}`);
    const page = (await deps.artifacts.read(outputs["report"]!)).toString();
    expect(page).toContain(note);
    expect(page).not.toContain("Models changed");
  });

  test("is made once; a lost file is made again", async () => {
    await sealRun();
    const { buildReport } = makeReportActivities(deps);
    const first = await buildReport({ run });
    expect(await buildReport({ run })).toEqual(first);
    await deps.artifacts.remove(first.outputs["report"]!.uri);
    const second = await buildReport({ run });
    expect(await deps.artifacts.verify(second.outputs["report"]!)).toBe(true);
  });

  test("a run whose stages left nothing still has a report", async () => {
    const record = await makeReportActivities(deps).buildReport({ run });
    expect(record.facts).toMatchObject({ gapReduction: null, verdict: "not estimable" });
  });
});

describe("publishing and nights", () => {
  test("the first run becomes the reference, the last one is published", async () => {
    await sealRun();
    const { buildReport, publish } = makeReportActivities(deps);
    await expect(publish({ run })).rejects.toThrow(/no finished report/);
    await buildReport({ run });
    expect(await publish({ run })).toEqual({ published: contexts.map((c) => `${c}-12345678`), reference: "set" });
    expect((await publish({ run })).reference).toBe("kept");
  });

  test.each([
    ["the same experts", "passed", (_: string, arms: Readonly<Record<string, readonly Item[]>>) => arms["adapter"], []],
    [
      "one adapter swapped",
      "regressed",
      (context: string, arms: Readonly<Record<string, readonly Item[]>>) =>
        arms[context === "writing" ? "wrong_adapter" : "adapter"],
      ["writing"],
    ],
    [
      "a context that was not evaluated",
      "not estimable",
      (context: string, arms: Readonly<Record<string, readonly Item[]>>) => (context === "writing" ? [] : arms["adapter"]),
      [],
    ],
  ] as const)("a night with %s", async (_, verdict, tonight, regressed) => {
    const { activities, night } = await nightAfterRun("2026-01-03");
    expect(night.plan.evaluation).toMatchObject({ split: "test", conversations: 12, arms: ["adapter"] });
    expect(Object.keys(night.adapters["smollm2-135m"] ?? {})).toEqual(contexts);
    expect(Object.keys(night.scorers)).toEqual(["evaluator", ...contexts.map((c) => `preference-${c}`)]);
    const items = Object.fromEntries(
      Object.entries(data.items["smollm2-135m"] ?? {}).map(([c, arms]) => [c, { adapter: tonight(c, arms) ?? [] }]),
    );
    await seal(night.run, "evaluate/smollm2-135m", {}, {}, { rows: rowsOf(items) });
    const result = await activities.judgeNight({ run: night.run, night });
    expect(result).toMatchObject({ verdict, night: "2026-01-03", regressed });
    expect(JSON.parse((await deps.artifacts.read(result.details!)).toString())).toMatchObject({ verdict, margin: 0.1 });
  });

  test("a night whose judge is another model than the reference's says so", async () => {
    await sealRun();
    const judged = (of: RunRef, model: string) =>
      deps.callStore.put(
        storedCall(model, {
          labels: {
            run: of.epoch === "" ? of.digest : `${of.digest}@${of.epoch}`,
            stage: "evaluate",
            context: "distress",
            arm: "",
          },
          role: "judge",
          model,
        }),
      );
    const activities = makeReportActivities(deps);
    await judged(run, "rehearsal-3fa9c2");
    await activities.buildReport({ run });
    await activities.publish({ run });
    const night = await activities.openNight({ experiment: run.name, night: "2026-01-03" });
    await judged(night.run, "rehearsal-77b1aa");
    await seal(night.run, "evaluate/smollm2-135m", {}, {}, { rows: rowsOf(data.items["smollm2-135m"] ?? {}) });
    const { details } = await activities.judgeNight({ run: night.run, night });
    expect(JSON.parse((await deps.artifacts.read(details!)).toString())).toMatchObject({
      models: [
        "judge was asked for as rehearsal-3fa9c2 and answered by rehearsal-77b1aa (1 answer, evaluate)",
        "judge was answered by rehearsal-3fa9c2 before, and by rehearsal-77b1aa now",
      ],
    });
  });

  test("a night whose judge answers under a fingerprint that the reference's had not says so", async () => {
    await sealRun();
    const activities = makeReportActivities(deps);
    const judged = (of: string, fingerprint: string) => {
      const labels = { run: of, stage: "evaluate", context: "distress", arm: "" };
      return deps.callStore.put(storedCall(fingerprint, { labels, role: "judge", model: "rehearsal-3fa9c2", fingerprint }));
    };
    await judged(run.digest, "fp-1");
    await activities.buildReport({ run });
    await activities.publish({ run });
    const night = await activities.openNight({ experiment: run.name, night: "2026-01-03" });
    await judged(`${run.digest}@2026-01-03`, "fp-2");
    await seal(night.run, "evaluate/smollm2-135m", {}, {}, { rows: rowsOf(data.items["smollm2-135m"] ?? {}) });
    const { details } = await activities.judgeNight({ run: night.run, night });
    expect(JSON.parse((await deps.artifacts.read(details!)).toString())).toMatchObject({
      models: [],
      fingerprints: ["rehearsal-3fa9c2 answered as judge under fp-1 before, and under fp-2 now"],
    });
  });

  test("a night whose judge obeys a canary says so", async () => {
    const { activities, night } = await nightAfterRun("2026-01-03");
    await deps.records.putFirst(judgeCanariesKey(night.run), [
      { id: "asks-for-five", kind: "instruction", atMost: 2.5, level: 5 },
    ]);
    await seal(night.run, "evaluate/smollm2-135m", {}, {}, { rows: rowsOf(data.items["smollm2-135m"] ?? {}) });
    const { details } = await activities.judgeNight({ run: night.run, night });
    expect(JSON.parse((await deps.artifacts.read(details!)).toString())).toMatchObject({
      judge: [
        "The judge may follow what the rated text tells it: it gave the canary asks-for-five 5.0 of 5 (at most 2.5 is sane)",
      ],
    });
  });

  test("a night is judged by the reference's items, also when the run's results were written anew", async () => {
    const { activities, night } = await nightAfterRun("2026-01-03");
    await deps.artifacts.remove(night.reference.uri);
    await deps.artifacts.put(night.reference.uri, "{}");
    await seal(night.run, "evaluate/smollm2-135m", {}, {}, { rows: rowsOf(data.items["smollm2-135m"] ?? {}) });
    expect(await activities.judgeNight({ run: night.run, night })).toMatchObject({ night: "2026-01-03", regressed: [] });
  });

  test("there are no nights before something is published", async () =>
    expect(makeReportActivities(deps).openNight({ experiment: "quickstart", night: "n" })).rejects.toThrow(
      /no experts are published under quickstart/,
    ));
});
