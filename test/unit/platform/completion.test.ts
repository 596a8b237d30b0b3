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

  it("never lowers what was spent: cached tokens beside the input cost as such, and counts that are none are estimated", () => {
    const choices = [{ message: { content: "An answer of 28 characters.." } }];
    const cached = read({
      choices,
      usage: { prompt_tokens: 10, completion_tokens: 1, prompt_tokens_details: { cached_tokens: 50 } },
    });
    expect(cached).toMatchObject({ usage: { input: 10, cachedInput: 50, output: 1 }, usd: (50 + 10) / 1e6 });
    for (const none of [-5, "5", Number.NaN])
      expect(
        read({
          choices,
          usage: { prompt_tokens: none, completion_tokens: none, prompt_tokens_details: { cached_tokens: none } },
        }),
      ).toMatchObject({ usage: { input: 8, cachedInput: 0, output: 7 }, usd: (8 * 2 + 7 * 10) / 1e6 });
    expect(read({ choices, usage: { prompt_tokens: 1.5, completion_tokens: 0.2 } }).usage).toMatchObject({ input: 2, output: 1 });
    const anything = fc.oneof(fc.integer(), fc.double(), fc.constant(null), fc.string());
    fc.assert(
      fc.property(anything, anything, anything, (prompt_tokens, completion_tokens, cached_tokens) => {
        const { usd, usage } = read({
          choices,
          usage: { prompt_tokens, completion_tokens, prompt_tokens_details: { cached_tokens } },
        });
        expect(usd).toBeGreaterThanOrEqual(0);
        expect(usd).toBeGreaterThanOrEqual((usage.output * 10) / 1e6);
      }),
    );
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
