import { ApplicationFailure } from "@temporalio/common";
import { expect, test } from "vitest";
import { type ConversationRow, makeConverseActivities } from "../../../activities/converse/converse.ts";
import { makeMeasureActivities } from "../../../activities/measure/measure.ts";
import { listUnits, readUnit, unitKey } from "../../../activities/units.ts";
import { errorReply, type Asked } from "../../support/chat-server.ts";
import { attempt, levelOf, ownTurns, play, run, stageBench, unitInput } from "../../support/stage-bench.ts";

const group = { stage: "converse", context: "distress" } as const;

async function converseBench(script: Parameters<typeof stageBench>[0]["script"], settings: Record<string, unknown> = {}) {
  const bench = await stageBench({ script, settings });
  await makeMeasureActivities(bench.deps).measure({ run });
  const row = async (unit: number) => (await readUnit(bench.deps, run, group, unit))?.row as ConversationRow;
  return { ...bench, ...makeConverseActivities(bench.deps), row };
}

test("a conversation alternates, user first, in a family for pairs", async () => {
  const { converse, row, config } = await converseBench(play({}));
  const outcome = await attempt(converse, unitInput(group, 0));
  expect(outcome).toEqual({ status: "done", spend: { calls: 5, reread: 0, usd: null } });
  const { turns, family, unit, persona } = await row(0);
  expect(turns.map(({ speaker }) => speaker)).toEqual(["user", "assistant", "user", "assistant"]);
  expect(unit).toBe("distress-00000");
  expect(persona.prose).toBe("A calm person.");
  expect(config.contexts[0]?.families.find(({ id }) => id === family)?.split).toBe("pairs");
});

test("each agent sees itself as assistant, and the simulated user a reminder under the last message", async () => {
  const { converse, server } = await converseBench(play({}));
  await attempt(converse, unitInput(group, 0));
  const asked = server.asked.filter(({ body }) => body.messages[0]?.content.startsWith("You play the person"));
  expect(asked.map(({ body }) => body.messages.map(({ role }) => role))).toEqual([
    ["system", "user"],
    ["system", "user", "assistant", "user"],
  ]);
  expect(asked[0]?.text).toMatch(/^\(The chat opens\. Write your first message\.\)\n\n\(Reminder: you are \w+/);
  expect(asked[1]?.text).toMatch(/^Level .*\n\n\(Reminder: /);
});

test("a unit with a record asks nothing; without one it re-reads every turn", async () => {
  const { converse, row, deps, server } = await converseBench(play({}));
  await attempt(converse, unitInput(group, 1));
  const [first, asked] = [await row(1), server.asked.length];
  expect(await attempt(converse, unitInput(group, 1))).toEqual({ status: "done", spend: { calls: 0, reread: 0, usd: 0 } });
  await deps.records.remove(unitKey(run, group, 1));
  expect(await attempt(converse, unitInput(group, 1))).toMatchObject({ status: "done", spend: { calls: 0, reread: 5 } });
  expect(await row(1)).toEqual(first);
  expect(server.asked.length).toBe(asked);
});

test("a message with a fault is asked again, then the conversation is dropped by its reason; a higher limit goes on from there", async () => {
  const tries = new Map<number, number>();
  const user = (asked: Asked) => {
    const turn = ownTurns(asked);
    tries.set(turn, (tries.get(turn) ?? 0) + 1);
    return turn === 1 && (tries.get(turn) ?? 0) <= 4 ? "You should take a walk." : `Something new ${turn}.`;
  };
  const { converse, row, deps, server } = await converseBench(play({ user }));
  expect(await attempt(converse, unitInput(group, 0))).toMatchObject({ status: "dropped", reason: "user-advice" });
  expect(await attempt(converse, unitInput(group, 0))).toMatchObject({ status: "dropped", spend: { calls: 0 } });
  const before = server.asked.length;
  expect(await attempt(converse, unitInput(group, 0, { sampleLimit: 6 }))).toMatchObject({
    status: "done",
    spend: { calls: 3, reread: 6 },
  });
  expect(server.asked.length).toBe(before + 3);
  expect((await row(0)).turns[2]?.text).toBe("Something new 1.");
  expect(await listUnits(deps, run, group)).toHaveLength(1);
});

test.each([
  [{ text: "cut in the mid", finishReason: "length" }, "assistant-truncated"],
  [{ text: " " }, "assistant-empty"],
  [{ text: "no", finishReason: "content_filter" }, "assistant-refused"],
])("an assistant's %o is no data", async (reply, reason) => {
  const { converse } = await converseBench(play({ assistant: () => reply }));
  expect(await attempt(converse, unitInput(group, 0))).toMatchObject({ status: "dropped", reason });
});

test("an implausible persona is drawn anew, with other fields", async () => {
  const { converse, row, server } = await converseBench(
    play({ persona: ({ n }) => JSON.stringify({ plausible: n > 0, reason: "r", prose: "Second." }) }),
  );
  await attempt(converse, unitInput(group, 0));
  expect((await row(0)).persona.prose).toBe("Second.");
  expect(server.asked[0]?.text).not.toBe(server.asked[1]?.text);
});

test("a share of the conversations is kept plain", async () => {
  const { converse, row, server } = await converseBench(play({}), { converse: { conversations: 12, turns: 1, plainShare: 0.5 } });
  await Promise.all(Array.from({ length: 12 }, (_, unit) => attempt(converse, unitInput(group, unit))));
  const rows = await Promise.all(Array.from({ length: 12 }, (_, unit) => row(unit)));
  const plain = rows.filter((r) => r.plain).length;
  expect(plain).toBeGreaterThan(1);
  expect(plain).toBeLessThan(11);
  const levels = server.asked.map(levelOf).filter((level) => !Number.isNaN(level));
  expect(levels.filter((level) => level === 0.2)).toHaveLength(plain);
  expect(new Set(rows.map((r) => r.family)).size).toBe(8);
});

test("only a person can help: Held; a wrong request fails its unit alone", async () => {
  const held = await converseBench(() => errorReply(401, "invalid_api_key"));
  const failure = await attempt(held.converse, unitInput(group, 0)).catch((error: unknown) => error);
  expect(failure).toBeInstanceOf(ApplicationFailure);
  expect(failure).toMatchObject({ type: "Held", nonRetryable: true, details: [{ reason: "auth" }] });
  expect(await readUnit(held.deps, run, group, 0)).toBeNull();

  const wrong = await converseBench(() => errorReply(422, "bad_field"));
  expect(await attempt(wrong.converse, unitInput(group, 0))).toMatchObject({ status: "failed", reason: "refused-request" });
  expect(wrong.warnings[0]).toContain("distress-00000");
});

test("a used-up allowance holds, and what was answered is not paid again", async () => {
  const { converse, server } = await converseBench(play({}));
  const tight = unitInput(group, 0, { allowance: { calls: 3, usd: null } });
  await expect(attempt(converse, tight)).rejects.toMatchObject({ type: "Held", details: [{ reason: "budget" }] });
  expect(server.asked).toHaveLength(3);
  expect(await attempt(converse, tight)).toMatchObject({ status: "done", spend: { calls: 2, reread: 3 } });
});

test("sealing: counts add up, and the rows stand behind the record", async () => {
  const { converse, sealConversations, deps } = await converseBench(
    play({
      user: (asked) =>
        asked.body.messages[0]?.content.includes("Name: Idris") ? "I'm here for you." : `Turn ${ownTurns(asked)}.`,
    }),
    {
      converse: { conversations: 20, turns: 1 },
    },
  );
  await expect(sealConversations({ run, context: "distress" })).rejects.toMatchObject({ type: "BadData" });
  await Promise.all(Array.from({ length: 20 }, (_, unit) => attempt(converse, unitInput(group, unit))));
  const record = await sealConversations({ run, context: "distress" });
  const dropped = record.counts["dropped"] ?? 0;
  expect(dropped).toBeGreaterThan(0);
  expect(record.counts).toEqual({ asked: 20, done: 20 - dropped, dropped, failed: 0, "dropped:user-offers-help": dropped });
  const ref = record.outputs["conversations"];
  expect(ref?.rows).toBe(20 - dropped);
  expect(await sealConversations({ run, context: "distress" })).toEqual(record);
  if (ref !== undefined) await deps.artifacts.remove(ref.uri);
  expect((await sealConversations({ run, context: "distress" })).outputs["conversations"]).toEqual(ref);
});
