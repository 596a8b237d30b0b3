import { expect, test } from "vitest";
import { type Detectors, isMalformed, similarity, userFault } from "../../../domain/detectors.ts";
import type { Turn } from "../../../domain/transcript.ts";

const all: Detectors = { offersHelp: true, lists: true, thankLoop: true, nearCopy: true, advice: true, saysItIsAi: true };
const said = (...texts: string[]): Turn[] => texts.map((text, i) => ({ speaker: i % 2 === 0 ? "user" : "assistant", text }));

test.each([
  ["  ", [], "empty"],
  ["As an AI, I don't have a father.", [], "says-it-is-ai"],
  ["I'm here for you, always.", [], "offers-help"],
  ["How can I help you today?", [], "offers-help"],
  ["Here it is:\n- the bus\n- the rain", [], "list"],
  ["## Update\nIt went badly.", [], "list"],
  ["Thanks, that is kind.", said("Thank you so much.", "Of course."), "thank-loop"],
  ["You should try to sleep more.", [], "advice"],
  ["My sister still won't talk to me.", said("My sister still won't talk to me!", "I see."), "near-copy"],
  ["That sounds like a very hard week for you.", said("It was bad.", "That sounds like a very hard week for you."), "near-copy"],
])("%s is %3$s", (text, turns, fault) => {
  expect(userFault(text, turns, all)).toBe(fault);
});

test.each([
  "Thanks. She called on Tuesday and hung up again.",
  "Let me know if you need the numbers, I have them here.",
  "I don't know what I should do next.",
  "My boss said 3 people leave in May.",
  "The AI course starts on Monday.",
])("a person's own words pass: %s", (text) => {
  expect(userFault(text, said("She never calls.", "That hurts."), all)).toBeNull();
});

test("a detector that is off finds nothing", () => {
  expect(userFault("You should rest.", [], { ...all, advice: false })).toBeNull();
});

test("similarity is the share of common words", () => {
  expect(similarity("the old clock", "The old CLOCK!")).toBe(1);
  expect(similarity("one two", "two three")).toBeCloseTo(1 / 3);
  expect(similarity("", "")).toBe(1);
});

test.each([
  '{"text": so',
  "{}",
  '[{"a": 1}]',
  '  {\n "b"',
  '```json\n{"a": 1}\n```',
  '["a", "b"]',
  "<html>",
  "<!DOCTYPE html>",
  '<?xml version="1.0"?>',
])("%s is malformed", (text) => {
  expect(isMalformed(text)).toBe(true);
});

test.each([
  "[sighs] I can't do it",
  "{shrugs} fine",
  "<3 thank you",
  "It said {}",
  "[my boss] shouted",
  '["I quit"] that was the subject line.',
  "[[sighs]] I dunno",
  "<hugs>",
])("%s is what a person may write", (text) => {
  expect(isMalformed(text)).toBe(false);
});
