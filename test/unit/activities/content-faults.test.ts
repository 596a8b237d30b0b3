import { expect, test } from "vitest";
import { makeConverseActivities } from "../../../activities/converse/converse.ts";
import type { ConversationRow } from "../../../contract/rows.ts";
import { makeMeasureActivities } from "../../../activities/measure/measure.ts";
import { readUnit, unitsOf } from "../../../activities/units.ts";
import type { UnitHeartbeat } from "../../../contract/activities.ts";
import type { Ref } from "../../../contract/ref.ts";
import { type Asked, errorReply, type Reply } from "../../support/chat-server.ts";
import { attempt, ownTurns, play, run, stageBench, unitInput } from "../../support/stage-bench.ts";

const group = { stage: "converse", context: "distress" } as const;

async function converseBench(script: (asked: Asked) => Reply) {
  const bench = await stageBench({ script });
  await makeMeasureActivities(bench.deps).measure({ run });
  const row = async (unit: number) => (await readUnit(bench.deps, run, group, unit))?.row as ConversationRow;
  return { ...bench, ...makeConverseActivities(bench.deps), row };
}

const isUser = ({ body }: Asked) => body.messages[0]?.content.startsWith("You play the person") === true;
const isPersona = ({ body }: Asked) => body.messages[0]?.content.startsWith("You invent people") === true;
/** An answer with this content, written as JSON. */
const answer = (content: string): Exclude<Reply, string> => ({
  status: 200,
  headers: { "content-type": "application/json" },
  body: `{"choices":[{"finish_reason":"stop","message":{"role":"assistant","content":${content}}}]}`,
});

test("quota that runs out in the middle holds the conversation; mended, it goes on where it stood and repeats no call", async () => {
  let mended = false;
  const { converse, row, server } = await converseBench(
    play({
      assistant: (asked) =>
        mended || ownTurns(asked) === 0 ? `Reply ${ownTurns(asked)}.` : errorReply(429, "insufficient_quota"),
    }),
  );
  await expect(attempt(converse, unitInput(group, 0))).rejects.toMatchObject({
    type: "Held",
    nonRetryable: true,
    details: [{ reason: "quota", remedy: expect.stringContaining("attune resume") as string }],
  });
  expect(server.asked).toHaveLength(5);
  mended = true;
  expect(await attempt(converse, unitInput(group, 0))).toMatchObject({ status: "done", spend: { calls: 1, reread: 4 } });
  expect(server.asked).toHaveLength(6);
  expect((await row(0)).turns.map(({ text }) => text)).toContain("Reply 1.");
});

test.each<[string, (turn: number) => Reply, string]>([
  ["empties its turn", (turn) => ({ text: turn === 0 ? "It went badly." : " " }), "user-empty"],
  [
    "is cut off",
    (turn) => (turn === 0 ? { text: "It went badly." } : { text: "And then my boss", finishReason: "length" }),
    "user-truncated",
  ],
  ["writes JSON", (turn) => ({ text: turn === 0 ? "It went badly." : '{"text": My boss shouted' }), "user-malformed"],
  ["repeats itself", () => ({ text: "My boss shouted at me today." }), "user-near-copy"],
  [
    "speaks as an assistant",
    (turn) => ({ text: turn === 0 ? "It went badly." : "How can I help you today?" }),
    "user-offers-help",
  ],
  ["ends by thanking", (turn) => ({ text: turn === 0 ? "Thanks for the time." : "Thank you, goodbye." }), "user-thank-loop"],
])(
  "a simulated user that %s is asked again within its limit, then the conversation is dropped by that reason",
  async (_, says, reason) => {
    const asAnother = play({});
    const { converse, row, server } = await converseBench((asked) => (isUser(asked) ? says(ownTurns(asked)) : asAnother(asked)));
    expect(await attempt(converse, unitInput(group, 0))).toMatchObject({ status: "dropped", reason });
    expect(await row(0)).toBeNull();
    expect(server.asked.filter((asked) => isUser(asked) && ownTurns(asked) === 1)).toHaveLength(3);
  },
);

const inItsField: Reply = {
  status: 200,
  headers: { "content-type": "application/json" },
  body: '{"choices":[{"finish_reason":"stop","message":{"role":"assistant","content":null,"refusal":"I can\'t talk about that."}}]}',
};

test.each<[string, Reply]>([
  ["in its field", inItsField],
  ["in words", { text: "I'm sorry, but I can't help with that." }],
  ["by a filter, in the middle of a text", { text: "My boss shouted at me and then he", finishReason: "content_filter" }],
  ["by a filter, before any text", errorReply(400, "content_filter")],
])(
  "a simulated user that refuses %s is not asked again: no turn, and dropped by that reason, whatever the limit",
  async (_, says) => {
    const asAnother = play({});
    const { converse, row, server, deps } = await converseBench((asked) =>
      isUser(asked) && ownTurns(asked) === 1 ? says : asAnother(asked),
    );
    expect(await attempt(converse, unitInput(group, 0))).toMatchObject({ status: "dropped", reason: "user-refused" });
    expect(await row(0)).toBeNull();
    expect(server.asked).toHaveLength(4);
    expect(await attempt(converse, unitInput(group, 0, { sampleLimit: 6 }))).toMatchObject({
      reason: "user-refused",
      spend: { calls: 0 },
    });
    expect(await Array.fromAsync(unitsOf(deps, run, group)())).toHaveLength(1);
  },
);

test.each([
  "I'm sorry, I can't do this any more.",
  "I can't help it, I cry whenever she calls. I'm sorry.",
  "I can't talk about that yet, sorry.",
])("a simulated user in distress is no refusal: %s", async (sorrow) => {
  const { converse, row } = await converseBench(play({ user: (asked) => (ownTurns(asked) === 0 ? "It went badly." : sorrow) }));
  expect(await attempt(converse, unitInput(group, 0))).toMatchObject({ status: "done" });
  expect((await row(0)).turns[2]?.text).toBe(sorrow);
});

test.each<[string, Reply]>([
  ["in its field", inItsField],
  ["in words", { text: "I'm sorry, but I can't create a profile of a person in crisis." }],
  ["by a filter", { text: '{"plausible": true, "reas', finishReason: "content_filter" }],
  ["in the fields it was given", { text: '{"plausible": false, "reason": "I can\'t assist with that request.", "prose": ""}' }],
  [
    "in place of a person",
    { text: '{"plausible": true, "reason": "fits", "prose": "I\'m sorry, but I can\'t help with that."}' },
  ],
])("a persona that is refused %s is dropped by that reason, and no other is drawn", async (_, says) => {
  const asAnother = play({});
  const { converse, server } = await converseBench((asked) => (isPersona(asked) ? says : asAnother(asked)));
  expect(await attempt(converse, unitInput(group, 0))).toMatchObject({ status: "dropped", reason: "persona-refused" });
  expect(server.asked).toHaveLength(1);
});

test.each([
  ["empty", " ", "persona-empty"],
  ["without a person", '{"plausible": true, "reason": "fits", "prose": " "}', "persona-empty"],
  ["no JSON", "A calm person.", "persona-unreadable"],
  ["implausible", '{"plausible": false, "reason": "too young for it"}', "implausible-persona"],
])("personas that are %s, four of them, are dropped by the reason that is so", async (_, persona, reason) => {
  const { converse, server } = await converseBench(play({ persona: () => persona }));
  expect(await attempt(converse, unitInput(group, 0))).toMatchObject({ status: "dropped", reason });
  expect(server.asked).toHaveLength(4);
});

test.each(['{"text": I am sorry', "<!DOCTYPE html><html><body>502</body></html>"])(
  "%s is no reply: asked again, then dropped as malformed",
  async (text) => {
    const once = await converseBench(play({ assistant: ({ n }) => (n === 2 ? { text } : `Reply ${n}.`) }));
    expect(await attempt(once.converse, unitInput(group, 0))).toMatchObject({ status: "done", spend: { calls: 6 } });
    expect((await once.row(0)).turns.map((turn) => turn.text)).not.toContain(text);
    const always = await converseBench(play({ assistant: () => ({ text }) }));
    expect(await attempt(always.converse, unitInput(group, 0))).toMatchObject({
      status: "dropped",
      reason: "assistant-malformed",
    });
  },
);

test("a refusal of the assistant becomes no data: its conversation is dropped by that reason", async () => {
  const { converse, row } = await converseBench(play({ assistant: () => inItsField }));
  expect(await attempt(converse, unitInput(group, 0))).toMatchObject({ status: "dropped", reason: "assistant-refused" });
  expect(await row(0)).toBeNull();
});

test("whatever letters a model writes, each line of the data set is one row of well-formed text", async () => {
  const { converse, sealConversations, deps } = await converseBench(
    play({ assistant: (asked) => answer(`"Reply ${ownTurns(asked)}\\u0000 \\ud800\\u2028 \\r\\n{\\"a\\": \\u0007}"`) }),
  );
  for (let unit = 0; unit < 3; unit += 1) await attempt(converse, unitInput(group, unit));
  const sealed = (await sealConversations({ run, context: "distress" })).outputs["conversations"] as Ref;
  const lines = (await deps.artifacts.read(sealed)).toString().split("\n");
  expect(lines.pop()).toBe("");
  expect([lines.length, sealed.rows]).toEqual([3, 3]);
  for (const line of lines) {
    expect([line.isWellFormed(), line.includes("\0"), line.includes("\\u0000"), line.includes("\\ud800")]).toEqual([
      true,
      false,
      false,
      false,
    ]);
    const { turns } = JSON.parse(line) as ConversationRow;
    expect(turns[1]?.text).toBe('Reply 0 \ufffd\u2028 \r\n{"a": \u0007}');
  }
});

test("no word of a conversation goes to Temporal: not as an outcome, a heartbeat or a failure", async () => {
  const personal = "anna.berg@example.org";
  let fails: Exclude<Reply, string> | null = errorReply(500, "server_error") as Exclude<Reply, string>;
  const { converse, row } = await converseBench(
    play({
      user: (asked) => `Write to ${personal}, message ${ownTurns(asked)}.`,
      assistant: (asked) => {
        const reply = fails ?? `I wrote to ${personal} ${ownTurns(asked)} times.`;
        fails = null;
        return reply;
      },
    }),
  );
  const beats: UnitHeartbeat[] = [];
  const outcome = await attempt(converse, unitInput(group, 0), beats);
  expect(outcome).toMatchObject({ status: "done" });
  expect(JSON.stringify(await row(0))).toContain(personal);
  expect(beats.length).toBeGreaterThan(0);
  fails = errorReply(401, "invalid_api_key") as Exclude<Reply, string>;
  const failure = (await attempt(converse, unitInput(group, 1)).catch((error: unknown) => error)) as Error;
  expect(failure).toMatchObject({ type: "Held" });
  expect(JSON.stringify([outcome, beats, failure, failure.message])).not.toContain("anna");
});
