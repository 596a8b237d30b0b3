import { describe, expect, test } from "vitest";
import { beyondGrowth } from "../../../cli/config/growth.ts";
import { differences } from "../../../cli/config/identity.ts";

const before = {
  seed: 1,
  contexts: ["distress", "writing"],
  backbones: [{ id: "small", weights: "a" }],
  converse: { conversations: 10, turns: 3 },
  evaluate: { conversations: 5, arms: ["baseline", "adapter"] },
  contextFiles: { distress: { title: "D" }, writing: { title: "W" } },
};
const beyond = (after: unknown) => beyondGrowth(differences(before, after)).map(({ path }) => path);

describe("a configuration only adds to an earlier one", () => {
  test.each([
    [
      "with another context",
      { contexts: ["distress", "writing", "career"], contextFiles: { ...before.contextFiles, career: { title: "C" } } },
    ],
    ["in another order", { contexts: ["writing", "distress"] }],
    [
      "with another backbone",
      {
        backbones: [
          { id: "large", weights: "b" },
          { weights: "a", id: "small" },
        ],
      },
    ],
    [
      "with more conversations",
      { converse: { conversations: 11, turns: 3 }, evaluate: { ...before.evaluate, conversations: 6 } },
    ],
    ["with another arm", { evaluate: { ...before.evaluate, arms: ["baseline", "system_prompt", "adapter"] } }],
  ])("%s", (_, change) => {
    expect(beyond({ ...before, ...change })).toEqual([]);
  });
});

describe("a configuration does more than add", () => {
  test.each([
    ["seed", { seed: 2 }],
    ["contexts", { contexts: ["distress"] }],
    ["contextFiles.writing.title", { contextFiles: { ...before.contextFiles, writing: { title: "Letters" } } }],
    ["contextFiles.writing", { contextFiles: { distress: { title: "D" } } }],
    ["backbones", { backbones: [{ id: "small", weights: "c" }] }],
    ["converse.conversations", { converse: { conversations: 9, turns: 3 } }],
    ["converse.turns", { converse: { conversations: 20, turns: 4 } }],
    ["evaluate.arms", { evaluate: { ...before.evaluate, arms: ["adapter"] } }],
  ])("where %s changed", (path, change) => {
    expect(beyond({ ...before, ...change })).toEqual([path]);
  });
});
