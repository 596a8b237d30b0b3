import { describe, expect, it } from "vitest";
import { userFault } from "../../../domain/detectors.ts";
import type { Turn } from "../../../domain/transcript.ts";
import { answering, roleOf } from "../../../rehearsal/answer.ts";
import { contextTitles, loadCorpus, type Family } from "../../../rehearsal/corpus.ts";
import { loadRules } from "../../../rehearsal/judge/rules.ts";
import type { ChatRequest, Message } from "../../../rehearsal/request.ts";
import { fillReply } from "../../../rehearsal/roles/assistant.ts";
import { wordCount } from "../../../rehearsal/text.ts";

const corpus = loadCorpus();
const answer = answering(corpus, loadRules());
const detectors = { offersHelp: true, lists: true, thankLoop: true, nearCopy: true, advice: true, saysItIsAi: true };
const ask = (messages: readonly Message[], seed: number, schema?: string): ChatRequest => ({
  model: "rehearsal",
  messages,
  seed,
  maxTokens: 1024,
  schema,
});

function userAsks(family: Family, name: string, turns: readonly Turn[]): Message[] {
  const system = `You play the person described below, in a chat with an assistant.\nName: ${name}\nPerson: x\nManner: blunt and a little impatient\nSituation: ${family.situation}`;
  const history = turns.map(({ speaker, text }): Message => ({ role: speaker === "user" ? "assistant" : "user", content: text }));
  return [
    { role: "system", content: system },
    ...(history.length > 0 ? history : [{ role: "user" as const, content: "(The chat opens. Write your first message.)" }]),
  ];
}

function assistantAsks(family: Family, level: number, turns: readonly Turn[]): Message[] {
  const system = `You are the assistant in a conversation.\nKind of conversation: ${contextTitles[family.context]}\nDesired empathy level: ${level.toFixed(2)} of 1`;
  return [{ role: "system", content: system }, ...turns.map(({ speaker, text }): Message => ({ role: speaker, content: text }))];
}

function converse(family: Family, name: string, seed: number, count: number): Turn[] {
  const turns: Turn[] = [];
  for (let turn = 0; turn < count; turn++) {
    const text = answer(ask(userAsks(family, name, turns), seed + turn)).text;
    expect(userFault(text, turns, detectors), text).toBeNull();
    turns.push({ speaker: "user", text });
    turns.push({ speaker: "assistant", text: answer(ask(assistantAsks(family, 0.78, turns), seed + turn)).text });
  }
  return turns;
}

const played = corpus.families.filter((family) => ["pairs", "validation", "test"].includes(family.part));

describe("the simulated user", () => {
  it("unfolds every family over eight turns and more, never saying a thing twice", () => {
    for (const family of played) {
      const said = converse(family, "Mara", 11, 14)
        .filter((turn) => turn.speaker === "user")
        .map((turn) => turn.text);
      expect(new Set(said).size, family.id).toBe(14);
    }
  });

  it("has no two conversations alike", () => {
    const texts = Array.from({ length: 24 }, (_, unit) =>
      JSON.stringify(converse(played[unit % 8]!, ["Mara", "Idris", "Helen"][unit % 3]!, unit * 1000, 4)),
    );
    expect(new Set(texts).size).toBe(24);
  });

  it("keeps the other person's name within a conversation", () => {
    const family = played.find(({ user }) => user.flat().filter((text) => text.includes("{other}")).length >= 2)!;
    const said = converse(family, "Mara", 5, 8)
      .map((turn) => turn.text)
      .join(" ");
    expect(corpus.voices.others.filter((name) => said.includes(name)).length).toBeLessThanOrEqual(1);
  });

  it("plays a situation that someone else wrote by the family nearest to it", () => {
    const [family] = played;
    const text = answer(
      ask(userAsks({ ...family!, situation: "Their dog was put to sleep and the house is empty." }, "Mara", []), 1),
    ).text;
    expect(text).not.toBe("");
  });
});

describe("the assistant", () => {
  it.each([
    [0.05, 1],
    [0.2, 2],
    [0.5, 3],
    [0.78, 4],
    [1, 5],
  ] as const)("at %d speaks sentences of level %i beside fitting help", (level, expected) => {
    for (const family of played) {
      const turns: Turn[] = [{ speaker: "user", text: family.user[2]![0]! }];
      const text = answer(ask(assistantAsks(family, level, turns), 3)).text;
      const sentences = corpus.replies[family.context].pairs[expected].map((reply) => fillReply(reply.text, family.topic));
      expect(
        sentences.some((sentence) => text.includes(sentence)),
        text,
      ).toBe(true);
      expect(
        family.help[2]!.some((help) => text.includes(help)),
        text,
      ).toBe(true);
      expect(wordCount(text)).toBeLessThanOrEqual(38);
    }
  });

  it("answers foreign text at the level asked, without help it can't have", () => {
    const text = answer(ask(assistantAsks(played[0]!, 0.2, [{ speaker: "user", text: "Zebras quietly orbit." }]), 3)).text;
    expect(text).not.toContain("{");
    expect(text.length).toBeGreaterThan(10);
  });

  it("is a function of seed and messages", () => {
    const request = (seed: number) =>
      ask(assistantAsks(played[0]!, 0.78, [{ speaker: "user", text: played[0]!.user[0]![0]! }]), seed);
    expect(answer(request(4)).text).toBe(answer(request(4)).text);
    expect(new Set(Array.from({ length: 20 }, (_, seed) => answer(request(seed)).text)).size).toBeGreaterThan(10);
  });
});

describe("the inventor of persons", () => {
  const fields = (age: number, occupation: string) =>
    ask(
      [
        { role: "system", content: "You invent people for realistic conversations." },
        { role: "user", content: `Name: Mara\nAge: ${age}\nOccupation: ${occupation}\nManner: dry humour\nSituation: x` },
      ],
      1,
      "persona",
    );
  it("believes fields that go together, and no others", () => {
    const plausible = (age: number, occupation: string) =>
      (JSON.parse(answer(fields(age, occupation)).text) as { plausible: boolean }).plausible;
    expect([plausible(34, "a nurse"), plausible(71, "a retired librarian"), plausible(22, "a nursing student")]).toEqual([
      true,
      true,
      true,
    ]);
    expect([plausible(31, "a retired librarian"), plausible(74, "a history student"), plausible(78, "a bus driver")]).toEqual([
      false,
      false,
      false,
    ]);
  });
});

it("tells the role from the request alone", () => {
  const system = (content: string) => ask([{ role: "system", content }], 0);
  expect(roleOf(system("You rate how much empathy an assistant's reply shows."))).toBe("judge");
  expect(roleOf(system("You invent people for realistic conversations."))).toBe("persona");
  expect(roleOf(system("You play the person described below, in a chat with an assistant."))).toBe("simulatedUser");
  expect(roleOf(system("You are the assistant in a conversation."))).toBe("assistant");
});
