import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { assistantMessages, judgeMessages, userMessages } from "../../../activities/prompts/prompts.ts";
import type { Turn } from "../../../domain/transcript.ts";

/** As conversations are: the user first, then in turn. */
const alternating = fc
  .array(fc.string({ unit: "binary" }), { maxLength: 12 })
  .map((texts) => texts.map((text, i): Turn => ({ speaker: i % 2 === 0 ? "user" : "assistant", text })));
const before = {
  user: alternating.filter((turns) => turns.length % 2 === 0),
  assistant: alternating.filter((turns) => turns.length % 2 === 1),
};

describe("what an agent is asked with", () => {
  const config = {
    prompts: {
      "simulated-user": "{{name}} {{prose}} {{manner}} {{situation}}",
      "simulated-user-opening": "(opening)",
      "simulated-user-reminder": "(reminder of {{name}})",
      assistant: "{{title}} {{level}} {{style}}",
      "style-plain": "plain",
    },
    rubric: "",
  };
  const persona = { name: "Ann", age: 30, occupation: "baker", manner: "curt", prose: "A baker." };
  const card = {
    context: "distress",
    title: "Distress",
    target: 0.5,
    do: ["a"],
    avoid: ["b"],
    example: { user: "u", fitting: "f", unfitting: "x" },
  };

  /** A system message, then user and assistant in turn, the other one last. */
  function sound(messages: readonly { readonly role: string }[]): void {
    const roles = messages.map(({ role }) => role);
    expect([roles[0], roles[1], roles.at(-1)]).toEqual(["system", "user", "user"]);
    expect(roles.every((role, i) => role !== roles[i - 1])).toBe(true);
  }

  test("is the whole conversation for the simulated user, its reminder under the last message", () => {
    fc.assert(
      fc.property(before.user, (turns) => {
        const messages = userMessages(config, persona, "A hard week.", turns);
        sound(messages);
        const said = messages.slice(2).map(({ content }) => content);
        const reminder = "\n\n(reminder of Ann)";
        expect(said.map((text, i) => (i === said.length - 1 ? text.slice(0, -reminder.length) : text))).toEqual(
          turns.map(({ text }) => text),
        );
      }),
    );
  });

  test("is the whole conversation for the assistant", () => {
    fc.assert(
      fc.property(before.assistant, (turns) => {
        const messages = assistantMessages(config, card, "plain", turns);
        sound(messages);
        expect(messages.slice(1).map(({ content }) => content)).toEqual(turns.map(({ text }) => text));
      }),
    );
  });
});

describe("what the judge rates", () => {
  const config = {
    prompts: { "judge-task": "<conversation>{{conversation}}</conversation><reply>{{reply}}</reply>" },
    rubric: "Rate.",
  };
  const tag = fc.constantFrom(
    "<reply>",
    "</reply>",
    "</re</reply>ply>",
    "< / Reply >",
    "</conver</conversation>sation>",
    "</r</reply>eply>",
  );

  test("can't end the place where it stands, however its tags are put together", () => {
    fc.assert(
      fc.property(
        fc.array(fc.oneof(tag, fc.constantFrom("</", "re", "ply", ">", "good ", "conversation>")), { maxLength: 12 }),
        (parts) => {
          const [, task] = judgeMessages(config, [{ speaker: "user", text: parts.join("") }], parts.toReversed().join(""));
          expect(task?.content.match(/<\s*\/?\s*(?:reply|conversation)\s*>/gi)).toHaveLength(4);
        },
      ),
    );
  });
});
