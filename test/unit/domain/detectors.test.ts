import { describe, expect, test } from "vitest";
import { isRefusal, userFault } from "../../../domain/detectors.ts";
import type { Turn } from "../../../domain/transcript.ts";

const on = { offersHelp: true, lists: true, thankLoop: true, nearCopy: true, advice: true, saysItIsAi: true };
const earlier: Turn[] = [
  { speaker: "user", text: "My sister has not called since March, thank you for asking." },
  { speaker: "assistant", text: "That is a long silence." },
];

describe("userFault", () => {
  test.each([
    ["", "empty"],
    ["I'm here for you whenever you want to talk.", "offers-help"],
    ["How can I help you today?", "offers-help"],
    ["- first I cry\n- then I sleep", "list"],
    ["1. The meeting", "list"],
    ["Thank you, that is kind of you.", "thank-loop"],
    ["You should try to focus on your breathing.", "advice"],
    ["As an AI, I have no sister.", "says-it-is-ai"],
    ["My sister has not called since March, thank you for asking!", "thank-loop"],
    ["That is a long silence!", "near-copy"],
  ])("%s → %s", (text, fault) => {
    expect(userFault(text, earlier, on)).toBe(fault);
  });

  test("an ordinary next message has no fault", () => {
    expect(userFault("She lives two streets away and I saw her light on.", earlier, on)).toBeNull();
  });

  test("a detector that is off finds nothing", () => {
    expect(userFault("You should try to focus on it.", [], { ...on, advice: false })).toBeNull();
  });

  test("one thank-you is no loop", () => {
    expect(userFault("Thanks, I had not seen it that way.", [{ speaker: "user", text: "It began in May." }], on)).toBeNull();
  });
});

test("a refusal is told from sympathy", () => {
  expect(isRefusal("I'm sorry, but I can't help with that.")).toBe(true);
  expect(isRefusal("I'm sorry to hear that. I can't imagine how hard it was.")).toBe(false);
});
