import { expect, test } from "vitest";
import { answeredRoles, changedRoles, modelWarnings } from "../../../domain/answered-models.ts";

const stages = ["measure", "converse", "steer", "evaluate"];
const line = (stage: string, role: string, model: string, calls = 10, reread = 0) => ({ stage, role, model, calls, reread });
const asked = { teacher: "big", judge: "small" };

test("the model that was asked for, or a dated version of it, is no warning", () => {
  const roles = answeredRoles(
    [
      line("steer", "judge", "small-2026-04-14"),
      line("converse", "teacher", "big"),
      line("steer", "teacher", "big"),
      line("evaluate", "student", "x"),
    ],
    asked,
    stages,
  );
  expect(roles).toEqual([
    {
      role: "teacher",
      asked: "big",
      answered: [{ model: "big", answers: 20, stages: ["converse", "steer"] }],
      state: "as asked",
    },
    {
      role: "judge",
      asked: "small",
      answered: [{ model: "small-2026-04-14", answers: 10, stages: ["steer"] }],
      state: "revision",
    },
  ]);
  expect(modelWarnings(roles)).toEqual([]);
});

test("a model that answers without its owner's name is the one that was asked for", () => {
  const roles = answeredRoles([line("converse", "teacher", "gpt-4.1")], { teacher: "openai/gpt-4.1" }, stages);
  expect(roles[0]?.state).toBe("revision");
  expect(answeredRoles([line("converse", "teacher", "4.1")], { teacher: "openai/gpt-4.1" }, stages)[0]?.state).toBe("other");
});

test.each([
  ["rehearsal@e9fa2956", "revision"],
  ["rehearsal-0613", "revision"],
  ["rehearsal-mini", "other"],
  ["rehearsal-mini-2026-04-14", "other"],
  ["other", "other"],
])("%s in place of rehearsal is %s", (model, state) => {
  expect(answeredRoles([line("converse", "teacher", model)], { teacher: "rehearsal" }, stages)[0]?.state).toBe(state);
});

test("two models in one role are told with their answers and stages, re-read ones too; the earlier comes first", () => {
  const roles = answeredRoles(
    [
      line("evaluate", "judge", "small-2026-09-01", 300),
      line("steer", "judge", "small-2026-04-14", 40),
      line("evaluate", "judge", "small-2026-04-14", 0, 2),
    ],
    asked,
    stages,
  );
  expect(roles[0]?.state).toBe("mix");
  expect(modelWarnings(roles)).toEqual([
    "2 models answered as judge, asked for as small: small-2026-04-14 (42 answers, steer and evaluate), small-2026-09-01 (300 answers, evaluate)",
  ]);
});

test("what a filter refused stands under the name asked for, and a call that failed under no answer: neither is a second model", () => {
  const roles = answeredRoles(
    [
      line("converse", "teacher", "big-2026-01-01"),
      line("converse", "teacher", "big", 1),
      line("converse", "teacher", "never", 0),
    ],
    asked,
    stages,
  );
  expect(roles.map(({ state }) => state)).toEqual(["revision"]);
});

test("a role that other models speak in than before is named", () => {
  const now = answeredRoles([line("evaluate", "judge", "small-2026-09-01"), line("evaluate", "teacher", "big")], asked, stages);
  const before = answeredRoles([line("steer", "judge", "small-2026-04-14"), line("steer", "teacher", "big")], asked, stages);
  expect(changedRoles(before, now)).toEqual(["judge was answered by small-2026-04-14 before, and by small-2026-09-01 now"]);
  expect(changedRoles([], now)).toEqual([]);
});
