import { describe, expect, test } from "vitest";
import { isRefused, readsAsRefusal } from "../../../domain/refusal.ts";
import { contextIds, loadCorpus } from "../../../rehearsal/corpus.ts";

const said = (text: string) => ({ text, finishReason: "stop", refusal: null });

test.each(["assistant", "user", "json"] as const)(
  "a provider's word and its filter are believed of %s, whatever the text",
  (owed) => {
    expect(isRefused({ ...said(""), refusal: "No." }, owed)).toBe(true);
    expect(isRefused({ ...said("My boss shouted and then he"), finishReason: "content_filter" }, owed)).toBe(true);
    expect(isRefused({ ...said("My boss shouted and then he"), finishReason: "length" }, owed)).toBe(false);
    expect(isRefused(said(""), owed)).toBe(false);
  },
);

test.each([
  ["I'm sorry, but I can't help with that.", true],
  ["I cannot assist you with this.", true],
  ["I see. That is a hard week, but I can't help you with your taxes.", true],
  ["I'm sorry you had such a day.", false],
  ["I can't imagine how hard that was.", false],
  ["It is fine to tell them, “I’m not able to do this right now.”", false],
  ["You could say: ‘I can’t help with that today.’", false],
  ['You could write "I cannot help you with this" and leave it there.', false],
])("refusal of %s: %s", (text, refused) => {
  expect(isRefused(said(text), "assistant")).toBe(refused);
});

describe("instead of a person's message", () => {
  test.each([
    "I'm sorry, but I can't help with that.",
    "I’m sorry, but I can’t help with that.",
    "Sorry, I can't help you with this.",
    "I can't assist with that request.",
    "I'm unable to assist.",
    "I'm sorry, but I cannot fulfill this request as it goes against my guidelines.",
    "I can't help with that kind of request. Is there anything else I can do for you?",
    "I apologize, but I won't be able to continue with this role-play.",
    "I cannot engage in this conversation.",
    "I can't comply with that, but I'm here to listen.",
    "I'm sorry, but I can't assist with that. If you are in danger, please call someone.",
    "I'm not able to continue this type of conversation. If you are in crisis, please call a helpline.",
    "I can't roleplay as a person in crisis.",
    "I must respectfully decline to engage in this scenario.",
    "I'm really sorry that you're feeling this way, but I'm unable to provide the help that you need. It's really important to talk things over with someone who can, such as a mental health professional or a trusted person in your life.",
    "I understand that this is hard. I can't create content that depicts self-harm.",
    "As an AI, I can't pretend to be someone in distress.",
    "As an AI language model, I am not able to have feelings or to play this person.",
    "I'm sorry, but as an AI assistant I cannot continue.",
    "I'm just an AI, and I can't take part in that.",
  ])("a model's refusal is found: %s", (text) => {
    expect(isRefused(said(text), "user")).toBe(true);
  });

  test.each([
    "I'm sorry, I can't do this any more.",
    "I'm sorry. I can't stop crying and I can't help it.",
    "I can't help with the move, my back is gone, and now he calls me lazy.",
    "Sorry, I can't help with that move next week either.",
    "I can't help feeling that it was my fault.",
    "I can't help you understand how lonely it is here.",
    "I'm sorry, but I can't talk about that.",
    "I'm so sorry, I can't go on like this.",
    "I can't continue this life of pretending.",
    "I cannot provide for my children on this pay.",
    "I'm unable to sleep and not able to answer his letters.",
    "I won't be able to help my sister with the rent.",
    "I'm sorry, I can't answer that. It hurts too much.",
    "I can't play this role of the happy wife any more.",
    "I can't complete the request form, it keeps asking for a number I don't have.",
    "I can't write that. Every sentence sounds false.",
    "As an AI engineer, I can't get anyone outside the team to listen.",
    "My mother says: I'm sorry, but I can't help with that. That was all.",
    "I can't comply with that. My boss wants me there every Saturday and I haven't seen my kids in a month.",
    "I'm unable to assist with the move because of my back.",
    "I can't assist with the funeral planning anymore, I just sit there and cry.",
    "I'm sorry, I can't play that role. Not for her, not for anybody.",
    "I can't role-play being happy in front of the kids anymore.",
    "I can't provide the support you keep telling me to give him.",
    "I'm unable to help you with what I feel, I don't understand it myself.",
    "I won't engage in that conversation. Every time my mother starts it, I leave.",
    "I have to decline this request from my boss every week.",
    "No.",
  ])("a person's own sorrow passes: %s", (text) => {
    expect(isRefused(said(text), "user")).toBe(false);
  });

  test("what goes on for long is a story, however it begins", () => {
    const story = "Then she took the keys and drove off without another word to any of us. ".repeat(6);
    expect(readsAsRefusal(`I'm sorry, but I can't help with that. ${story}`)).toBe(false);
  });

  test("no line of the rehearsal's people is one, whatever it begins with", () => {
    const { families, voices } = loadCorpus();
    const lines = [
      ...families.flatMap(({ user, situation }) => [situation, ...user.flat()]),
      ...contextIds.flatMap((context) => voices.closings[context].map(({ user }) => user)),
    ];
    const starters = ["", "I'm sorry,", "I'm so sorry, but", ...voices.manners.flatMap((manner) => manner.starters)];
    expect(lines.length).toBeGreaterThan(1000);
    const found = lines.flatMap((line) => starters.map((starter) => `${starter} ${line}`)).filter(readsAsRefusal);
    expect(found).toEqual([]);
  });
});

describe("instead of JSON", () => {
  test.each([
    "I'm sorry, but I can't help with that.",
    "I cannot rate this reply.",
    "I'm sorry, but I'm not able to evaluate conversations about self-harm.",
    "I can't create a profile of a vulnerable person.",
    "As an AI, I can't judge empathy.",
  ])("a refusal is found: %s", (text) => {
    expect(isRefused(said(text), "json")).toBe(true);
  });

  test.each([
    "Quite warm.",
    "no",
    "I can't see any warmth in it: 1.",
    "The reply says I'm sorry, but I can't help with that, which is cold.",
    `I can't rate the last one on a first turn: {"relational": null}`,
    `{"reasoning": "I can't assist with that", "affective": 1}`,
  ])("what only can't be read is none: %s", (text) => {
    expect(isRefused(said(text), "json")).toBe(false);
  });
});
