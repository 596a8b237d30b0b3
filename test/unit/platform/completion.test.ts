import * as fc from "fast-check";
import { describe, expect, it } from "vitest";
import type { CallRequest } from "../../../platform/llm/client.ts";
import { costOf, NoCompletionError, toStoredCall } from "../../../platform/llm/completion.ts";

const request = {
  role: "judge",
  endpoint: { provider: "api" },
  model: "asked",
  price: { input: 2, cachedInput: 1, output: 10 },
  messages: [{ role: "user", content: "A question of 32 characters long" }],
  labels: { run: "r", stage: "steer", context: "distress", arm: "" },
} as unknown as CallRequest;
const read = (body: unknown) => toStoredCall(typeof body === "string" ? body : JSON.stringify(body), request, "k", new Date(0));
const thrown = (body: unknown) => {
  try {
    read(body);
  } catch (error) {
    return error;
  }
  return null;
};

describe("toStoredCall", () => {
  it("records an empty, a truncated and a refused answer as they are", () => {
    const message = { content: null, refusal: "I can't" };
    expect(read({ choices: [{ finish_reason: "length", message }] })).toMatchObject({
      text: "",
      finishReason: "length",
      refusal: "I can't",
      model: "asked",
    });
  });

  it("estimates the counts that a provider leaves out: a cap in money must see every answer", () => {
    const choices = [{ message: { content: "An answer of 28 characters.." } }];
    for (const usage of [undefined, null, {}]) {
      expect(read({ choices, usage })).toMatchObject({
        usage: { input: 8, cachedInput: 0, output: 7 },
        usd: (8 * 2 + 7 * 10) / 1e6,
      });
    }
    expect(read({ choices, usage: { completion_tokens: 3 } }).usage).toEqual({ input: 8, cachedInput: 0, output: 3 });
  });

  it("prices by fresh, cached and output tokens", () => {
    const usage = { prompt_tokens: 1_000_000, completion_tokens: 100_000, prompt_tokens_details: { cached_tokens: 500_000 } };
    expect(read({ choices: [{ message: { content: "x" } }], usage }).usd).toBeCloseTo(1 + 0.5 + 1);
    expect(costOf({ input: 1, cachedInput: 0, output: 1 }, null)).toBeNull();
  });

  it.each<[string, unknown, number, string | null]>([
    ["HTML", "<html>busy</html>", 200, null],
    ["nothing", "", 200, null],
    ["cut JSON", '{"choices":[', 200, null],
    ["no choices", { choices: [] }, 200, null],
    ["an error with a code", { error: { code: "insufficient_quota", message: "q" } }, 200, "insufficient_quota"],
    ["an error with a status for a code", { error: { code: 502, message: "upstream" } }, 502, null],
  ])("%s is no completion", (_, body, status, code) => {
    expect(thrown(body)).toBeInstanceOf(NoCompletionError);
    expect(thrown(body)).toMatchObject({ status, code });
  });

  it("throws nothing but NoCompletionError, and stores only well-formed text", () => {
    fc.assert(
      fc.property(
        fc.oneof(
          fc.string(),
          fc.json(),
          fc.record({ choices: fc.jsonValue() }).map((v) => JSON.stringify(v)),
        ),
        (raw) => {
          const error = thrown(raw);
          if (error !== null) expect(error).toBeInstanceOf(NoCompletionError);
        },
      ),
    );
    expect(read({ choices: [{ message: { content: "a\u0000b\ud800" } }] }).text).toBe("ab\ufffd");
  });
});
