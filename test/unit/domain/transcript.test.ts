import fc from "fast-check";
import { expect, test } from "vitest";
import { projectFor, renderTranscript, type Turn } from "../../../domain/transcript.ts";

const turns: Turn[] = [
  { speaker: "user", text: "Hello" },
  { speaker: "assistant", text: "Hi,\nwhat is it?" },
];

test("each agent sees itself as the assistant", () => {
  expect(projectFor("user", turns).map((m) => m.role)).toEqual(["assistant", "user"]);
  expect(projectFor("assistant", turns).map((m) => m.role)).toEqual(["user", "assistant"]);
});

test("a judge reads one line a turn", () => {
  expect(renderTranscript(turns)).toBe("User: Hello\nAssistant: Hi, what is it?");
});

test("the two projections mirror each other and keep every text", () => {
  const turn = fc.record({ speaker: fc.constantFrom("user" as const, "assistant" as const), text: fc.string() });
  fc.assert(
    fc.property(fc.array(turn), (any) => {
      const [a, b] = [projectFor("user", any), projectFor("assistant", any)];
      return a.every((m, i) => m.content === any[i]?.text && m.role !== b[i]?.role);
    }),
  );
});
