import * as fc from "fast-check";
import { describe, expect, it } from "vitest";
import { canonicalJson } from "../../../domain/canonical-json.ts";
import { type CallIdentity, callKey, callSeed } from "../../../platform/llm/key.ts";

const identity: CallIdentity = {
  role: "teacher",
  provider: "api",
  model: "m",
  weights: null,
  messages: [{ role: "user", content: "hello" }],
  sampling: { temperature: 0.7, topP: 1, maxTokens: 100 },
  schema: null,
  unit: "1/converse/pairs/distress-00001",
  turn: 1,
  sample: 0,
  epoch: "",
};

describe("callKey", () => {
  it("stays what it was: a changed key pays for every recorded call again", () => {
    expect(callKey(identity)).toBe("4d369379664bc1af236f0c150cc9b41dde8a327f396297a1315b186c9f50e25b");
  });

  it.each<Partial<CallIdentity>>([
    { role: "judge" },
    { provider: "other" },
    { model: "m2" },
    { weights: "w" },
    { messages: [{ role: "user", content: "hello " }] },
    { sampling: { temperature: 0.7, topP: 1, maxTokens: 101 } },
    { schema: { name: "s", schema: {} } },
    { unit: "1/converse/pairs/distress-00002" },
    { turn: 2 },
    { sample: 1 },
    { epoch: "2026-01-01" },
  ])("changes with %j", (change) => {
    expect(callKey({ ...identity, ...change })).not.toBe(callKey(identity));
  });

  it("does not see what is no part of the identity, nor the order of members", () => {
    const more = { endpoint: { baseUrl: "http://127.0.0.1:4000" }, labels: { run: "r" } };
    expect(callKey({ ...more, ...identity })).toBe(callKey(identity));
    expect(callKey(Object.fromEntries(Object.entries(identity).toReversed()) as unknown as CallIdentity)).toBe(callKey(identity));
  });
});

describe("callSeed", () => {
  it("is 31 bits, and differs between units, turns and samples", () => {
    fc.assert(
      fc.property(fc.string(), fc.nat(), fc.nat(), (unit, turn, sample) => {
        const seed = callSeed({ unit, turn, sample, epoch: "" });
        expect(seed).toBeGreaterThanOrEqual(0);
        expect(seed).toBeLessThan(2 ** 31);
      }),
    );
    const seeds = [1, 2, 3].flatMap((turn) => [0, 1].map((sample) => callSeed({ unit: "u", turn, sample, epoch: "" })));
    expect(new Set(seeds).size).toBe(6);
  });
});

describe("canonicalJson", () => {
  it("is JSON of the same value, in one text for any order of members", () => {
    fc.assert(
      fc.property(fc.jsonValue(), (value) => {
        expect(JSON.parse(canonicalJson(value))).toEqual(JSON.parse(JSON.stringify(value)));
        expect(canonicalJson(JSON.parse(canonicalJson(value)))).toBe(canonicalJson(value));
      }),
    );
    expect(canonicalJson({ b: 1, a: { d: undefined, c: [1, "x"] } })).toBe('{"a":{"c":[1,"x"]},"b":1}');
    expect(() => canonicalJson([Number.NaN])).toThrow(TypeError);
  });
});
