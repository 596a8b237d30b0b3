import { ApplicationFailure } from "@temporalio/common";
import { MockActivityEnvironment } from "@temporalio/testing";
import { DefaultLogger } from "@temporalio/worker";
import { expect, test } from "vitest";
import { makeConverseActivities } from "../../../activities/converse/converse.ts";
import type { Deps } from "../../../activities/deps.ts";
import type { ConversationRow } from "../../../contract/rows.ts";
import { makeMeasureActivities } from "../../../activities/measure/measure.ts";
import { dropStageRecord, readStageRecord, writeStageRecord } from "../../../activities/stages/records.ts";
import { readUnit, unitKey, unitsOf } from "../../../activities/units.ts";
import type { Ref } from "../../../contract/ref.ts";
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

test("two workers that hold the same conversation at once use one answer for each turn, though each asked gets another", async () => {
  const texts = new Set<string>();
  const fresh = (asked: Asked) => {
    const text = `Word ${asked.n} of ${ownTurns(asked)}, never said before.`;
    texts.add(text);
    return text;
  };
  const { converse, deps, row, elsewhere, server } = await converseBench((asked) => {
    const reply = play({ user: fresh, assistant: fresh })(asked);
    // So that both ask before either has an answer.
    return typeof reply === "object" && "text" in reply ? { ...reply, delayMs: 150 } : reply;
  });
  const there = elsewhere();
  const outcomes = await Promise.all([
    attempt(converse, unitInput(group, 0)),
    attempt(makeConverseActivities(there).converse, unitInput(group, 0)),
  ]);
  expect(outcomes.map(({ status }) => status)).toEqual(["done", "done"]);
  const { turns } = await row(0);
  const used = turns.map(({ text }) => text);
  // Turns were asked twice, and the answer that lost was used by nobody.
  expect(texts.size).toBeGreaterThan(used.length);
  for (const asked of server.asked)
    for (const { content } of asked.body.messages)
      for (const text of texts) if (content.includes(text)) expect(used).toContain(text);
  expect((await deps.callStore.spend(run.digest)).calls).toBe(server.asked.length);
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
  expect(await Array.fromAsync(unitsOf(deps, run, group)())).toHaveLength(1);
});

test.each([
  [{ text: "cut in the mid", finishReason: "length" }, "assistant-truncated"],
  [{ text: " " }, "assistant-empty"],
  [{ text: "no", finishReason: "content_filter" }, "assistant-refused"],
])("an assistant's %o is no data", async (reply, reason) => {
  const { converse } = await converseBench(play({ assistant: () => reply }));
  expect(await attempt(converse, unitInput(group, 0))).toMatchObject({ status: "dropped", reason });
});

/** Limits that were asked for, of the messages that a test picks. */
const limitsOf = (asked: readonly Asked[], of: (one: Asked) => boolean) => asked.filter(of).map(({ body }) => body["max_tokens"]);
const ofAssistant = ({ body }: Asked) => body.messages[0]?.content.startsWith("You are the assistant in") === true;
const ofUser = ({ body }: Asked) => body.messages[0]?.content.startsWith("You play the person") === true;
/** Whole once there is room for so many tokens. */
const needs = (tokens: number, text: string) => (asked: Asked) =>
  Number(asked.body["max_tokens"]) < tokens ? { text: text.slice(0, 9), finishReason: "length" } : { text };

test("a cut message is asked again with twice the limit until it is whole, and only the whole one is kept", async () => {
  const reply = needs(400, "A long reply that goes on until its end.");
  const bench = await converseBench(play({ assistant: reply }), { converse: { conversations: 1, turns: 1 } });
  expect(await attempt(bench.converse, unitInput(group, 0, { sampleLimit: 4 }))).toMatchObject({ status: "done" });
  expect(limitsOf(bench.server.asked, ofAssistant)).toEqual([120, 240, 480]);
  expect((await bench.row(0)).turns[1]?.text).toBe("A long reply that goes on until its end.");

  const says = needs(240, "A long message that goes on until its end.");
  const asAnother = play({});
  const users = await converseBench((asked) => (ofUser(asked) ? says(asked) : asAnother(asked)), {
    converse: { conversations: 1, turns: 1 },
  });
  expect(await attempt(users.converse, unitInput(group, 0))).toMatchObject({ status: "done" });
  expect(limitsOf(users.server.asked, ofUser)).toEqual([120, 240]);
  expect((await users.row(0)).turns[0]?.text).toBe("A long message that goes on until its end.");
});

test("limits grow to the cap and no further, and answers that were whole leave them as they are", async () => {
  const cut = await converseBench(play({ assistant: needs(9999, "Never whole.") }), {
    converse: { conversations: 1, turns: 1, maxTokens: 100, maxTokensCap: 250 },
  });
  expect(await attempt(cut.converse, unitInput(group, 0, { sampleLimit: 4 }))).toMatchObject({
    status: "dropped",
    reason: "assistant-truncated",
  });
  expect(limitsOf(cut.server.asked, ofAssistant)).toEqual([100, 200, 250, 250]);
  const empty = await converseBench(play({ assistant: () => ({ text: " " }) }));
  await attempt(empty.converse, unitInput(group, 0));
  expect(limitsOf(empty.server.asked, ofAssistant)).toEqual([120, 120, 120]);
});

test("a replay asks with the limits that the recorded answers led to: nothing is asked twice, and more samples go on from there", async () => {
  const { converse, deps, server } = await converseBench(play({ assistant: needs(480, "Whole at last, and long enough.") }), {
    converse: { conversations: 1, turns: 1 },
  });
  expect(await attempt(converse, unitInput(group, 0, { sampleLimit: 2 }))).toMatchObject({ reason: "assistant-truncated" });
  await deps.records.remove(unitKey(run, group, 0));
  const asked = server.asked.length;
  expect(await attempt(converse, unitInput(group, 0, { sampleLimit: 2 }))).toMatchObject({ spend: { calls: 0, reread: 4 } });
  expect(server.asked.length).toBe(asked);
  expect(await attempt(converse, unitInput(group, 0, { sampleLimit: 3 }))).toMatchObject({
    status: "done",
    spend: { calls: 1, reread: 4 },
  });
  expect(limitsOf(server.asked, ofAssistant)).toEqual([120, 240, 480]);
});

test("a persona that is cut gets more room, and one that never ends is dropped by that reason", async () => {
  const script = (tokens: number) => {
    const persona = needs(tokens, '{"plausible": true, "reason": "fits", "prose": "A calm person."}');
    const asAnother = play({});
    return (asked: Asked) =>
      asked.body.messages[0]?.content.startsWith("You invent people") ? persona(asked) : asAnother(asked);
  };
  const wide = await converseBench(script(600));
  expect(await attempt(wide.converse, unitInput(group, 0))).toMatchObject({ status: "done" });
  expect((await wide.row(0)).persona.prose).toBe("A calm person.");
  const cut = await converseBench(script(9999));
  expect(await attempt(cut.converse, unitInput(group, 0))).toMatchObject({ status: "dropped", reason: "persona-truncated" });
  expect(limitsOf(cut.server.asked, () => true)).toEqual([300, 600, 1200, 1200]);
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

test.each(["removed", "made again"])(
  "units that are %s between the readings of a seal store nothing; the next attempt seals what is there then",
  async (how) => {
    const { converse, deps } = await converseBench(play({}), { converse: { conversations: 4, turns: 1 } });
    for (const unit of [0, 1, 2, 3]) await attempt(converse, unitInput(group, unit));
    const prefix = unitKey(run, group, 0).slice(0, -5);
    let readings = 0;
    const records: Deps["records"] = {
      ...deps.records,
      each: async function* (asked) {
        if (asked === prefix) readings += 1;
        // As `run --rebuild` does while an attempt that was given up still reads.
        if (readings === 2) {
          const there = await deps.records.get(unitKey(run, group, 3));
          await deps.records.remove(unitKey(run, group, 3));
          if (how === "made again") await deps.records.putFirst(unitKey(run, group, 3), there?.value);
        }
        yield* deps.records.each(asked);
      },
    };
    const { sealConversations } = makeConverseActivities({ ...deps, records });
    const seal = () => sealConversations({ run, context: "distress" });
    await expect(seal()).rejects.toThrow(/changed while they were read/);
    expect(await readStageRecord(deps, run, "converse/distress")).toBeNull();
    const record = await seal();
    const left = how === "removed" ? 3 : 4;
    expect(record.counts).toMatchObject({ asked: 4, done: left, failed: 4 - left });
    expect(record.outputs["conversations"]?.rows).toBe(left);
  },
);

test("a seal that was given up ends at the next conversation and leaves no record", async () => {
  const { converse, deps } = await converseBench(play({}), { converse: { conversations: 3, turns: 1 } });
  for (const unit of [0, 1, 2]) await attempt(converse, unitInput(group, unit));
  const worker = new MockActivityEnvironment({}, { logger: new DefaultLogger("ERROR", () => undefined) });
  const given: unknown[] = [];
  const records: Deps["records"] = {
    ...deps.records,
    each: async function* (asked) {
      for await (const stored of deps.records.each(asked)) {
        given.push(stored.key);
        if (given.length === 5) worker.cancel("TIMED_OUT");
        yield stored;
      }
    },
  };
  const { sealConversations } = makeConverseActivities({ ...deps, records });
  const sealing = worker.run(async () => sealConversations({ run, context: "distress" }));
  await expect(sealing).rejects.toThrow("TIMED_OUT");
  expect(given.length).toBe(5);
  expect(await readStageRecord(deps, run, "converse/distress")).toBeNull();
  const late = new MockActivityEnvironment({}, { logger: new DefaultLogger("ERROR", () => undefined) });
  const writing = late.run(async () => {
    late.cancel("CANCELLED");
    return writeStageRecord(deps, run, { key: "converse/distress", stage: "converse", outputs: {}, counts: {}, facts: {} });
  });
  await expect(writing).rejects.toThrow("CANCELLED");
  expect(await readStageRecord(deps, run, "converse/distress")).toBeNull();
});

test("a conversation that an error ended has no record: it is counted as failed", async () => {
  const { converse, sealConversations, deps } = await converseBench(play({}));
  for (const unit of [0, 2]) expect(await attempt(converse, unitInput(group, unit))).toMatchObject({ status: "done" });
  await dropStageRecord(deps, run, "measure");
  await expect(attempt(converse, unitInput(group, 1))).rejects.toMatchObject({ type: "BadData" });
  await makeMeasureActivities(deps).measure({ run });
  const record = await sealConversations({ run, context: "distress" });
  expect(record.counts).toEqual({ asked: 3, done: 2, dropped: 0, failed: 1, "failed:no-record": 1 });
  const card = await deps.artifacts.read(record.outputs["card"] as Ref);
  expect(card.toString()).toContain("| failed:no-record | 1 |");
});

test("near copies of an earlier conversation are left out of the sealed set and counted, the first by unit is kept", async () => {
  const { converse, sealConversations, deps, row } = await converseBench(
    play({
      user: ({ n }) =>
        n < 9
          ? `${n} times I told my sister about the flat, and she hung up before I could say why we have to leave by March.`
          : "The surgeon wants to see me on Monday, and nobody will tell me what they found in the second scan.",
      assistant: () => "That sounds hard, and it is a lot to carry alone.",
    }),
    { converse: { conversations: 4, turns: 1, nearDuplicates: {} } },
  );
  // Units end in any order; the one that ends last says something else.
  for (const unit of [3, 1, 0, 2]) await attempt(converse, unitInput(group, unit));
  const record = await sealConversations({ run, context: "distress" });
  expect(record.counts).toEqual({ asked: 4, done: 2, dropped: 2, failed: 0, "dropped:near-duplicate": 2 });
  const units: string[] = [];
  for await (const line of deps.artifacts.readLines(record.outputs["conversations"] as Ref))
    units.push((line as ConversationRow).unit);
  expect(units).toEqual(["distress-00000", "distress-00002"]);
  expect((await row(3)).turns).toHaveLength(2);
  const card = await deps.artifacts.read(record.outputs["card"] as Ref);
  expect(card.toString()).toContain("| dropped:near-duplicate | 2 |");
});

test("text that looks personal is counted at the seal, in the record and on the card, and goes nowhere else", async () => {
  const { converse, sealConversations, deps } = await converseBench(
    play({ assistant: () => "Write to anna.berg@example.org, or call +44 20 7946 0958 by 2024-11-25." }),
  );
  for (const unit of [0, 1]) await attempt(converse, unitInput(group, unit));
  const record = await sealConversations({ run, context: "distress" });
  expect(record.facts).toMatchObject({ "pii-email": 4, "pii-phone": 4 });
  expect(JSON.stringify(record)).not.toContain("anna");
  const card = (await deps.artifacts.read(record.outputs["card"] as Ref)).toString();
  expect(card).toContain("Text that looks personal: 4 like e-mail addresses, 4 like phone numbers.");
  expect(card).not.toContain("anna");
});
