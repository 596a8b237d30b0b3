import { expect, it } from "vitest";
import { judgeRole, overall, rate, userLines } from "../../../rehearsal/judge/judge.ts";
import { dimensions, loadRules } from "../../../rehearsal/judge/rules.ts";

const rules = loadRules();
const said = ["I keep writing to Dana and getting nothing back. We used to talk every day."];
const level = (reply: string) => overall(rate({ said, reply }, rules));

const cold = "Skip the story. Nobody needs the details of this case.";
const plain = "You can send one short message and wait for a week.";
const measured = "I realise this is a rather difficult wait for you. You can send one short message.";
const warm =
  "It sounds like the silence hurts, and I'm sorry you're alone with it. I'm listening if you want to talk about Dana.";
const gushing = "Oh my darling, my heart is absolutely shattering for you, you precious soul!";

it("puts replies of rising warmth in order", () => {
  const found = [cold, plain, measured, warm, gushing].map(level);
  expect(found).toEqual(found.toSorted((one, other) => one - other));
  expect(level(gushing) - level(cold)).toBeGreaterThan(2.5);
});

it("gives the lowest level to an empty reply, and little to one off the matter", () => {
  expect(level("")).toBe(1);
  expect(level("The ferry to the island leaves at ten past seven on all working days of the week.")).toBeLessThan(1.75);
});

it("does not pay for the user's words repeated or stuffed", () => {
  const named = level("The message to Dana can wait for a week.");
  expect(level("Writing Dana, talk Dana, every day, nothing back, getting writing, used to keep Dana.")).toBeLessThanOrEqual(
    named + 0.3,
  );
  expect(level(said[0]!)).toBeLessThan(1.6);
  expect(level(`${warm} ${warm} ${warm} ${warm}`)).toBeLessThan(level(warm));
});

it("rates by the text alone, moved by the seed by a quarter at most", () => {
  const judge = judgeRole(rules);
  const asked = `<conversation>\nUser: ${said[0]}\nAssistant: Hello.\nUser: Still nothing.\n</conversation>\n<reply>\n${warm}\n</reply>`;
  const request = (seed: number) => ({
    model: "rehearsal",
    messages: [{ role: "user" as const, content: asked }],
    seed,
    maxTokens: 500,
    schema: "judgement",
  });
  const exact = rate({ said: [said[0]!, "Still nothing."], reply: warm }, rules);
  const runs = [1, 2, 3].map((seed) => JSON.parse(judge(request(seed))) as Record<string, number>);
  expect(new Set(runs.map((run) => JSON.stringify(run))).size).toBe(3);
  expect(judge(request(1))).toBe(judge(request(1)));
  for (const run of runs) for (const name of dimensions) expect(Math.abs(run[name]! - exact[name])).toBeLessThanOrEqual(0.31);
});

it("can't rate continuity in a first turn", () => {
  const asked = `<conversation>\nUser: ${said[0]}\n</conversation>\n<reply>\n${warm}\n</reply>`;
  const rated = JSON.parse(
    judgeRole(rules)({
      model: "rehearsal",
      messages: [{ role: "user", content: asked }],
      seed: 1,
      maxTokens: 500,
      schema: "judgement",
    }),
  ) as Record<string, unknown>;
  expect(rated["relational"]).toBeNull();
});

it("reads a transcript's user lines, whatever line breaks they hold", () => {
  expect(userLines("User: one\ntwo\nAssistant: three\nUser: four")).toEqual(["one\ntwo", "four"]);
});
