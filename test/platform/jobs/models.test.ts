import { afterEach, describe, expect, it } from "vitest";
import { makeAlignActivities } from "../../../activities/align/activities.ts";
import { adapterDigest8, alignDraft } from "../../../activities/align/draft.ts";
import { prepareServe } from "../../../activities/jobs/prepare-serve.ts";
import { makeRewardActivities } from "../../../activities/reward/activities.ts";
import { findStageRecord } from "../../../activities/stages/records.ts";
import type { JobOutcome } from "../../../contract/jobs.ts";
import type { Ref } from "../../../contract/ref.ts";
import { readFolder } from "../../../platform/artifacts/folder.ts";
import { jobParams } from "../../../contract/job-spec.ts";
import { bench, run } from "../../support/jobs.ts";
import type { Bench } from "../../support/jobs.ts";
import { resolvedStub } from "../../support/resolved.ts";

let here: Bench;
afterEach(() => here.close());

const pairRow = (turn: number, unit = "distress-00000") => ({
  unit,
  family: "one",
  turn,
  prompt: [
    { role: "system", content: "plain" },
    ...Array.from({ length: 2 * turn - 1 }, (_, i) => ({ role: i % 2 === 0 ? "user" : "assistant", content: `m${i}` })),
  ],
  chosen: [{ role: "assistant", content: "warm" }],
  rejected: [{ role: "assistant", content: "cold" }],
});

async function outcome(
  fence: number,
  files: Readonly<Record<string, string>>,
  metrics: JobOutcome["metrics"] = {},
): Promise<JobOutcome> {
  const base = `runs/quick/jobs/j/fence-${fence}`;
  const entries = await Promise.all(
    Object.entries(files).map(async ([path, text]) => [path, await here.deps.artifacts.put(`${base}/${path}`, text)] as const),
  );
  return {
    job: "j",
    fence,
    outputs: Object.fromEntries(entries),
    metrics,
    result: await here.deps.artifacts.put(`${base}/result.json`, `{"fence":${fence}}`),
  };
}

const trained = (fence: number, weights: string) =>
  outcome(
    fence,
    { "adapter/adapter_config.json": "{}", "adapter/adapter_model.safetensors": weights },
    { steps: 24, wall_s: 60 },
  );

describe("an adapter", () => {
  const input = (pairs: Ref) => ({ run, context: "distress", backbone: "tiny", pairs });

  async function setUp() {
    here = await bench("finishes");
    const pairs = await here.deps.artifacts.putLines("runs/quick/pairs.jsonl", [pairRow(1), pairRow(2)]);
    return { pairs, align: makeAlignActivities(here.deps) };
  }

  it("is kept as a folder with its card under a digest of what it follows from", async () => {
    const { pairs, align } = await setUp();
    const draft = await align.prepareAlign(input(pairs));
    expect(jobParams.parse(draft.params)).toMatchObject({ kind: "align", base_model: { id: "example/Tiny", dir: "tiny" } });
    const record = await align.sealAdapter({ ...input(pairs), job: await trained(1, "w1") });
    const digest8 = adapterDigest8(draft);
    expect(record).toMatchObject({
      key: "align/tiny/distress",
      counts: { pairs: 2 },
      facts: { digest8, name: `distress-${digest8}`, steps: 24, seconds: 60 },
    });
    const adapter = record.outputs["adapter"]!;
    expect(adapter.uri).toBe(`adapters/tiny/distress/${digest8}/index.json`);
    const { files } = await readFolder(here.deps.artifacts, adapter);
    expect(files.map(({ path }) => path).toSorted()).toEqual(["README.md", "adapter_config.json", "adapter_model.safetensors"]);
    const card = (await here.deps.artifacts.read(files.find(({ path }) => path === "README.md")!.ref)).toString();
    expect(card).toContain("Rehearsal: not evidence");
    expect(card).toContain("base_model: example/Tiny");
  });

  it("has another digest for other pairs, seed or recipe, and the same on another machine", async () => {
    const { pairs } = await setUp();
    const config = resolvedStub();
    const digest = (over: Partial<typeof config.experiment>, ref: Ref = pairs) =>
      adapterDigest8(
        alignDraft(
          { ...config, experiment: { ...config.experiment, ...over } },
          { context: "distress", backbone: "tiny", pairs: ref },
        ),
      );
    const { align } = config.experiment;
    expect(digest({ align: { ...align, deadlineSeconds: 60 } })).toBe(digest({}));
    expect(digest({}, { ...pairs, uri: "elsewhere" })).toBe(digest({}));
    const others = [
      digest({}, { ...pairs, sha256: "0".repeat(64) }),
      digest({ seed: 2 }),
      digest({ align: { ...align, lora_r: 8 } }),
    ];
    expect(new Set([digest({}), ...others]).size).toBe(4);
  });

  it("stays as it was first stored, and is made anew only when its files are lost", async () => {
    const { pairs, align } = await setUp();
    const first = await align.sealAdapter({ ...input(pairs), job: await trained(1, "w1") });
    await here.deps.records.remove("stage/quick/abababababab/-/align/tiny/distress");
    const again = await align.sealAdapter({ ...input(pairs), job: await trained(2, "w2") });
    expect(again.outputs["adapter"]).toEqual(first.outputs["adapter"]);
    await here.deps.artifacts.remove(first.outputs["adapter"]!.uri.replace("index.json", "adapter_model.safetensors"));
    expect(await findStageRecord(here.deps, run, first.key)).toBeNull();
    const renewed = await align.sealAdapter({ ...input(pairs), job: await trained(3, "w3") });
    expect(renewed.outputs["adapter"]!.sha256).not.toBe(first.outputs["adapter"]!.sha256);
    expect(await findStageRecord(here.deps, run, first.key)).toEqual(renewed);
  });

  it("is served under its name, with the digest of its weights", async () => {
    const { pairs, align } = await setUp();
    const { outputs, facts } = await align.sealAdapter({ ...input(pairs), job: await trained(1, "w1") });
    const draft = await prepareServe(here.deps, { run, backbone: "tiny", adapters: { distress: outputs["adapter"]! } });
    const name = String(facts["name"]);
    const { files } = await readFolder(here.deps.artifacts, outputs["adapter"]!);
    const weights = files.find(({ path }) => path.endsWith(".safetensors"))!.ref;
    expect(jobParams.parse(draft.params)).toMatchObject({
      kind: "serve",
      base_name: "tiny",
      parallel: 8,
      adapters: [{ name, path: `adapters/${name}`, sha256: weights.sha256 }],
    });
    expect(draft.files).toEqual([{ path: `adapters/${name}`, ref: outputs["adapter"] }]);
  });

  it("is refused when the trainer gave no weights", async () => {
    const { pairs, align } = await setUp();
    const job = await outcome(1, { "adapter/adapter_config.json": "{}" });
    await expect(align.sealAdapter({ ...input(pairs), job })).rejects.toMatchObject({ type: "BadData" });
  });
});

describe("reward models", () => {
  it("share neither labels nor seed", async () => {
    here = await bench("finishes");
    const reward = makeRewardActivities(here.deps);
    const [guide, evaluator] = [
      await reward.prepareReward({ run, which: "guide" }),
      await reward.prepareReward({ run, which: "evaluator" }),
    ];
    expect(guide.seed).not.toBe(evaluator.seed);
    expect(guide.files.map(({ path }) => path)).toEqual(["data/train.jsonl", "data/test.jsonl"]);
  });

  it("keep the measures that the trainer gave, and show a missing one as missing", async () => {
    here = await bench("finishes");
    const reward = makeRewardActivities(here.deps);
    const files = { "model.json": "{}", "model.safetensors": "w" };
    const job = await outcome(1, files, { n: 300, "overall.n": 80, "overall.mae.value": 0.1, "overall.spearman.value": null });
    const record = await reward.sealReward({ run, which: "guide", job });
    expect(record).toMatchObject({
      key: "reward/guide",
      counts: { train: 300, anchors: 80 },
      facts: { n: 80, mae: 0.1, spearman: null, calibrationSlope: null },
    });
    expect((await readFolder(here.deps.artifacts, record.outputs["model"]!)).files.map(({ path }) => path)).toEqual(
      Object.keys(files),
    );
    expect(await findStageRecord(here.deps, run, "reward/guide")).toEqual(record);
  });

  it("of preference are trained on rows made of the pairs, the same at a second call", async () => {
    here = await bench("finishes");
    const reward = makeRewardActivities(here.deps);
    const pairs = await here.deps.artifacts.putLines("runs/quick/pairs.jsonl", [pairRow(1), pairRow(2)]);
    const draft = await reward.preparePreference({ run, context: "distress", pairs });
    expect(await reward.preparePreference({ run, context: "distress", pairs })).toEqual(draft);
    expect(draft.files[0]!.ref.rows).toBe(3);
    const ids: unknown[] = [];
    const mixed = [pairRow(1, "one"), pairRow(1, "two"), pairRow(2, "two")];
    const ofTwo = await reward.preparePreference({
      run,
      context: "distress",
      pairs: await here.deps.artifacts.putLines("runs/quick/mixed.jsonl", mixed),
    });
    for await (const row of here.deps.artifacts.readLines(ofTwo.files[0]!.ref)) ids.push((row as { id: string }).id);
    expect(ids).toEqual(["one#1", "two", "two#1", "two#2"]);
    const none = await here.deps.artifacts.putLines("runs/quick/none.jsonl", []);
    await expect(reward.preparePreference({ run, context: "distress", pairs: none })).rejects.toMatchObject({ type: "BadData" });
  });
});
