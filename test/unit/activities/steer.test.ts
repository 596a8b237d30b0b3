import { expect, test } from "vitest";
import { makeConverseActivities } from "../../../activities/converse/converse.ts";
import { makeMeasureActivities } from "../../../activities/measure/measure.ts";
import { readUnit } from "../../../activities/units.ts";
import { dropStageRecord } from "../../../activities/stages/records.ts";
import { makeSteerActivities } from "../../../activities/steer/pairs.ts";
import { makeSteerUnit, type SteeredRow } from "../../../activities/steer/steer.ts";
import type { JobOutcome } from "../../../contract/jobs.ts";
import type { Ref } from "../../../contract/ref.ts";
import { putFolder } from "../../../platform/artifacts/folder.ts";
import type { Asked, Reply } from "../../support/chat-server.ts";
import { mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { attempt, judgement, levelOf, play, run, stageBench, unitInput } from "../../support/stage-bench.ts";
import { tempFolder } from "../../support/temp-folder.ts";

/** A judge that reads the level the scripted assistant wrote into its reply. */
const judge = ({ text }: Asked) => judgement(1 + 4 * Number(/<reply>\nLevel ([\d.]+)/.exec(text)?.[1] ?? 0));
const assistant = (asked: Asked) => `Level ${levelOf(asked)} after ${asked.body.messages.length} messages.`;

async function steerBench(
  context: string,
  {
    settings = {},
    conversations = 2,
    assistant: said = assistant,
  }: {
    settings?: Record<string, unknown>;
    conversations?: number;
    assistant?: NonNullable<Parameters<typeof play>[0]["assistant"]>;
  } = {},
) {
  const bench = await stageBench({
    script: play({ judge, assistant: said }),
    settings: { converse: { conversations, turns: 2 }, steer: { minPairs: 1, guidance: "judge" }, ...settings },
  });
  const { deps } = bench;
  await makeMeasureActivities(deps).measure({ run });
  const { converse, sealConversations } = makeConverseActivities(deps);
  for (let unit = 0; unit < conversations; unit += 1) await attempt(converse, unitInput({ stage: "converse", context }, unit));
  const sealed = (await sealConversations({ run, context })).outputs["conversations"] as Ref;
  const { steer } = makeSteerUnit(deps);
  const group = { stage: "steer", context } as const;
  const steered = (unit: number) => attempt(steer, unitInput(group, unit, { inputs: { conversations: sealed } }));
  const row = async (unit: number) => (await readUnit(deps, run, group, unit))?.row as SteeredRow;
  return { ...bench, ...makeSteerActivities(deps), sealed, steer, steered, row };
}

test("both replies of a turn answer one shared history", async () => {
  const { steered, row, server, deps, sealed } = await steerBench("distress");
  const before = server.asked.length;
  expect(await steered(0)).toMatchObject({ status: "done", spend: { calls: 8 } });
  const conversations: { turns: unknown[] }[] = [];
  for await (const conversation of deps.artifacts.readLines(sealed)) conversations.push(conversation as { turns: unknown[] });
  const { turns } = await row(0);
  expect(turns.map(({ turn, history }) => [turn, history])).toEqual([
    [1, conversations[0]?.turns.slice(0, 1)],
    [2, conversations[0]?.turns.slice(0, 3)],
  ]);
  for (const turn of turns)
    expect(turn.candidates.map(({ side, style }) => [side, style])).toEqual([
      ["pattern", "pattern"],
      ["counter", "cold"],
    ]);
  const asked = server.asked.slice(before).filter((one) => one.body.messages[0]?.content.startsWith("You are the assistant in"));
  expect(asked.map(({ body }) => body.messages.slice(1))).toEqual(
    [asked[0], asked[0], asked[2], asked[2]].map((one) => one?.body.messages.slice(1)),
  );
});

test("where the target is low, over-warm replies are counter-steered too", async () => {
  const { steered, row } = await steerBench("writing", { conversations: 8 });
  const styles = [];
  for (let unit = 0; unit < 8; unit += 1) {
    await steered(unit);
    styles.push(...(await row(unit)).turns.map(({ candidates }) => candidates[1]?.style));
  }
  expect(new Set(styles)).toEqual(new Set(["cold", "over-warm"]));
});

test("the gate keeps TRL rows without a steering prompt, and its counts add up", async () => {
  const { steered, gatePairs, deps } = await steerBench("distress");
  for (const unit of [0, 1]) await steered(unit);
  const record = await gatePairs({ run, context: "distress", scores: null });
  expect(record.counts).toEqual({
    asked: 2,
    done: 2,
    dropped: 0,
    failed: 0,
    pairsAsked: 4,
    pairs: 4,
    "pairs:rejects-cold": 4,
    pairsDropped: 0,
  });
  expect(record.outputs["pairs"]?.rows).toBe(4);
  for await (const pair of deps.artifacts.readLines(record.outputs["pairs"] as Ref)) {
    expect(pair).toMatchObject({
      prompt: [
        { role: "system", content: "You are a helpful assistant." },
        { role: "user" },
        ...((pair as { turn: number }).turn === 2 ? [{ role: "assistant" }, { role: "user" }] : []),
      ],
      chosen: [{ role: "assistant", content: expect.stringMatching(/^Level 0\.\d+ /) as string }],
      rejected: [{ role: "assistant", content: expect.stringMatching(/^Level 0\.05 /) as string }],
      style: "cold",
      guide: { chosen: null, rejected: null },
    });
    expect(JSON.stringify(pair)).not.toContain("Desired empathy");
  }
  expect(await steered(2)).toMatchObject({ status: "dropped", reason: "no-conversation" });
});

test("counts add up to the sealed conversations, whichever way each ended; an earlier seal's replies are not gated", async () => {
  let reply: Exclude<Reply, string> | null = null;
  const { steered, steer, gatePairs, prepareGuideScore, deps, sealed } = await steerBench("distress", {
    conversations: 5,
    assistant: (asked) => reply ?? assistant(asked),
  });
  const from = (conversations: Ref, unit: number) =>
    attempt(steer, unitInput({ stage: "steer", context: "distress" }, unit, { inputs: { conversations } }));
  const reversed = (await Array.fromAsync(deps.artifacts.readLines(sealed))).toReversed();
  const earlier = await deps.artifacts.putLines("runs/bench/earlier.jsonl", reversed);
  expect(await from(earlier, 4)).toMatchObject({ status: "done" });
  const altered = { ...sealed, sha256: "0".repeat(64) };
  for (const unit of [3, 4]) await expect(from(altered, unit)).rejects.toMatchObject({ type: "DigestMismatch" });
  expect(await steered(0)).toMatchObject({ status: "done" });
  reply = { text: "", finishReason: "content_filter" };
  expect(await steered(1)).toMatchObject({ status: "dropped" });
  reply = { status: 422, body: '{"error": {"message": "bad field"}}' };
  expect(await steered(2)).toMatchObject({ status: "failed" });
  const record = await gatePairs({ run, context: "distress", scores: null });
  expect(record.counts).toMatchObject({
    asked: 5,
    done: 1,
    dropped: 1,
    "dropped:assistant-refused": 1,
    failed: 3,
    "failed:refused-request": 1,
    "failed:no-record": 2,
    pairsAsked: 2,
    pairs: 2,
  });
  const card = await deps.artifacts.read(record.outputs["card"] as Ref);
  expect(card.toString()).toContain("| failed:no-record | 2 |");
  const guide = await putFolder(deps.artifacts, "runs/bench/guide", tempFolder());
  const draft = await prepareGuideScore({ run, context: "distress", guide });
  const scored = (await Array.fromAsync(deps.artifacts.readLines(draft.files[0]?.ref as Ref))) as { id: string }[];
  expect(new Set(scored.map(({ id }) => id.split("#")[0]))).toEqual(new Set(["distress-00000"]));
});

test("pairs are made of sealed conversations only", async () => {
  const { gatePairs, deps } = await steerBench("distress");
  await dropStageRecord(deps, run, "converse/distress");
  await expect(gatePairs({ run, context: "distress", scores: null })).rejects.toMatchObject({
    type: "BadData",
    message: "Run bench has no sealed conversations of distress: converse comes before steer",
  });
});

test("too few pairs stop the context by name, with the reasons", async () => {
  const { steered, gatePairs } = await steerBench("writing", {
    settings: { steer: { minPairs: 3, guidance: "judge", judgeMargin: 0.9 } },
  });
  await steered(0);
  await expect(gatePairs({ run, context: "writing", scores: null })).rejects.toMatchObject({
    type: "BadData",
    message: expect.stringMatching(/^writing: 0 pairs are left of 2, fewer than steer.minPairs 3 \(judge-margin 2\)/) as string,
  });
});

test("the guide scores every candidate in one job and must agree", async () => {
  const { steered, prepareGuideScore, gatePairs, deps } = await steerBench("distress", {
    settings: { steer: { minPairs: 1, guidance: "judge+rm" } },
  });
  await steered(0);
  const folder = tempFolder();
  mkdirSync(join(folder, "m"));
  writeFileSync(join(folder, "m", "model.json"), "{}");
  const guide = await putFolder(deps.artifacts, "runs/bench/guide", join(folder, "m"));
  const draft = await prepareGuideScore({ run, context: "distress", guide });
  expect(draft.params).toMatchObject({ kind: "score", scorers: [{ id: "guide", path: "scorers/guide" }] });
  expect(draft.files.map(({ path }) => path)).toEqual(["data/rows.jsonl", "scorers/guide/model.json"]);
  const ids: string[] = [];
  for await (const row of deps.artifacts.readLines(draft.files[0]?.ref as Ref)) {
    const { id, messages, reply } = row as { id: string; messages: { role: string }[]; reply: string };
    ids.push(id);
    expect(messages.at(-1)?.role).toBe("user");
    expect(reply).toMatch(/^Level/);
  }
  expect(ids).toEqual([
    "distress-00000#1#pattern",
    "distress-00000#1#counter",
    "distress-00000#2#pattern",
    "distress-00000#2#counter",
  ]);

  const scored = (guides: readonly number[]) =>
    deps.artifacts.putLines(
      `runs/bench/scores-${guides.join("-")}.jsonl`,
      ids.map((id, i) => ({ id, scores: { guide: guides[i], "guide.raw": 0 } })),
    );
  const job = async (guides: readonly number[]): Promise<JobOutcome> => ({
    job: "j",
    fence: 1,
    outputs: { "scores.jsonl": await scored(guides) },
    metrics: {},
    result: guide,
  });
  const record = await gatePairs({ run, context: "distress", scores: await job([0.8, 0.2, 0.2, 0.8]) });
  expect(record.counts).toMatchObject({ pairsAsked: 2, pairs: 1, pairsDropped: 1, "pairsDropped:guide-order": 1 });
  await expect(gatePairs({ run, context: "distress", scores: null })).rejects.toThrow("unscored 2");
});

test("a conversation that moved to another index is worked on under its own name", async () => {
  const { deps, steer, steered, row, sealed, server } = await steerBench("distress");
  await steered(0);
  await steered(1);
  const rows = [];
  for await (const conversation of deps.artifacts.readLines(sealed)) rows.push(conversation);
  const moved = await deps.artifacts.putLines("runs/bench/moved.jsonl", rows.toReversed());
  const asked = server.asked.length;
  expect(
    await attempt(steer, unitInput({ stage: "steer", context: "distress" }, 0, { inputs: { conversations: moved } })),
  ).toMatchObject({ status: "done", spend: { calls: 0, reread: 8 } });
  expect((await row(0)).unit).toBe("distress-00001");
  expect(server.asked.length).toBe(asked);
});
