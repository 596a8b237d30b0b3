import { createServer } from "node:net";
import { join } from "node:path";
import { setTimeout as delay } from "node:timers/promises";
import { describe, expect, it, onTestFinished } from "vitest";
import { sqliteCalls } from "../../../platform/calls/sqlite.ts";
import { modelCaller } from "../../../platform/llm/caller.ts";
import { GaveUpError, HoldError, RefusedRequestError, UnavailableError } from "../../../platform/llm/errors.ts";
import { conversationMeter } from "../../../platform/llm/meter.ts";
import { callRequest } from "../../support/call-request.ts";
import { type Asked, chatServer, errorReply, type Reply } from "../../support/chat-server.ts";
import { processLimiters } from "../../support/process-limiters.ts";
import { tempFolder } from "../../support/temp-folder.ts";

async function setUp(script: (asked: Asked) => Reply, file = join(tempFolder(), "calls.db")) {
  const server = await chatServer(script);
  const store = sqliteCalls(file);
  onTestFinished(async () => {
    await store.close();
    await server.close();
  });
  const limiters = processLimiters();
  // Waits between tries take a tenth of their time.
  const caller = modelCaller({ store, limiters, sleep: (ms, signal) => delay(ms / 10, undefined, { signal }) });
  return { server, store, file, caller, limiters, url: server.baseUrl };
}

/** Fails the first `n` requests of each text. */
function failing(n: number, reply: Reply): (asked: Asked) => Reply {
  const seen = new Map<string, number>();
  return ({ text }) => {
    const before = seen.get(text) ?? 0;
    seen.set(text, before + 1);
    return before < n ? reply : { text: `answer to ${text}` };
  };
}

describe("a call", () => {
  it("asks once, records what came, and re-reads it ever after", async () => {
    const { caller, store, server, url } = await setUp(() => ({ text: "hi" }));
    const request = callRequest("hello", url);
    const answer = await caller.call(request);
    expect(answer).toMatchObject({
      text: "hi",
      finishReason: "stop",
      model: "answered-model",
      usage: { input: 100, cachedInput: 40, output: 20 },
      reread: false,
    });
    expect(await caller.call(callRequest("hello", "http://127.0.0.1:1/elsewhere"))).toEqual({ ...answer, reread: true });
    expect(server.asked.length).toBe(1);
    expect(await store.get(answer.key)).toMatchObject({
      fingerprint: "fp-1",
      usd: (60 * 1 + 40 * 0.5 + 20 * 10) / 1e6,
      raw: expect.stringContaining('"answered-model"'),
    });
    expect(request.meter.spend).toMatchObject({ calls: 1, reread: 0 });
    expect(await store.spend("run-1")).toMatchObject({ calls: 1, reread: 1 });
  });

  it("carries its key, seed, sampling and schema, and no key of ours to a server that needs none", async () => {
    const { caller, server, url } = await setUp(() => ({ text: "{}" }));
    const schema = { name: "judgement", schema: { type: "object" } };
    const { key } = await caller.call(callRequest("judge this", url, { schema }));
    await caller.call(
      callRequest("judge that", url, { schema, endpoint: { jsonSchema: false, maxTokensField: "max_completion_tokens" } }),
    );
    const [first, second] = server.asked;
    expect(first?.headers["x-attune-key"]).toBe(key);
    expect(first?.headers.authorization).toBe("Bearer none");
    expect(first?.body).toMatchObject({
      model: "alias",
      temperature: 0.7,
      top_p: 1,
      max_tokens: 50,
      seed: expect.any(Number),
      response_format: { type: "json_schema", json_schema: { ...schema, strict: true } },
    });
    expect(second?.body).not.toHaveProperty("response_format");
    expect(second?.body).toMatchObject({ max_completion_tokens: 50 });
    expect(second?.body).not.toHaveProperty("max_tokens");
  });

  it("records an empty and a truncated answer: whether it is accepted is not its business", async () => {
    const { caller, server, url } = await setUp(() => ({ text: "", finishReason: "length" }));
    expect(await caller.call(callRequest("x", url))).toMatchObject({ text: "", finishReason: "length" });
    expect(await caller.call(callRequest("x", url))).toMatchObject({ text: "", reread: true });
    await caller.call(callRequest("x", url, { sample: 1 }));
    expect(server.asked.length).toBe(2);
  });

  it("is asked once when several units ask the same at once", async () => {
    const { caller, server, url } = await setUp(() => ({ text: "same", delayMs: 50 }));
    const answers = await Promise.all(Array.from({ length: 6 }, () => caller.call(callRequest("same", url))));
    expect(server.asked.length).toBe(1);
    expect(answers.filter(({ reread }) => reread).length).toBe(5);
  });

  it("uses the answer that was recorded first, and books the other as waste", async () => {
    const one = await setUp(() => ({ text: "from one", delayMs: 30 }));
    const two = await setUp(() => ({ text: "from two", delayMs: 30 }), one.file);
    const [first, second] = await Promise.all([
      one.caller.call(callRequest("race", one.url)),
      two.caller.call(callRequest("race", two.url)),
    ]);
    expect(first.text).toBe(second.text);
    expect([one.server.asked.length, two.server.asked.length]).toEqual([1, 1]);
    // Both stores write their notes before they answer.
    await one.store.usage("run-1");
    expect(await two.store.usage("run-1")).toMatchObject([{ calls: 1, wasted: 1, inputTokens: 200, outputTokens: 40 }]);
  });
});

describe("faults", () => {
  it.each<[string, Reply]>([
    ["500", errorReply(500, "server_error")],
    ["a reset", "reset"],
    ["HTML at 200", { status: 200, headers: { "content-type": "text/html" }, body: "<html>busy</html>" }],
    ["an empty body at 200", { status: 200, headers: { "content-type": "application/json" }, body: "" }],
    ["cut JSON at 200", { status: 200, headers: { "content-type": "application/json" }, body: '{"choices":[{"mess' }],
    [
      "an error body at 200",
      { status: 200, headers: { "content-type": "application/json" }, body: '{"error":{"message":"upstream","code":502}}' },
    ],
  ])("%s is tried again, told to the heartbeat and logged", async (_, reply) => {
    const fails = failing(1, reply);
    const { caller, store, server, url } = await setUp((asked) => (asked.text === "first" ? { text: "fine" } : fails(asked)));
    await caller.call(callRequest("first", url));
    const told: string[] = [];
    const answer = await caller.call(callRequest("x", url, { onRetry: (cause) => told.push(cause) }));
    expect(answer.text).toBe("answer to x");
    expect([server.asked.length, told.length, (await store.failures(answer.key)).count]).toEqual([3, 1, 1]);
  });

  it("a server that sends headers and then nothing runs into the timeout", async () => {
    const { caller, url } = await setUp(failing(1, "silence"));
    expect((await caller.call(callRequest("x", url, { endpoint: { timeoutMs: 300 } }))).text).toBe("answer to x");
  });

  it("waits a 429 out as long as it asks, using no attempt", async () => {
    const { caller, store, server, url } = await setUp(
      failing(6, errorReply(429, "rate_limit_exceeded", { "retry-after-ms": "300" })),
    );
    const started = performance.now();
    const answer = await caller.call(callRequest("x", url));
    expect(performance.now() - started).toBeGreaterThan(6 * 30);
    expect([server.asked.length, (await store.failures(answer.key)).count]).toEqual([7, 0]);
    expect((await store.usage("run-1")).reduce((sum, row) => sum + row.failed, 0)).toBe(6);
  });

  it("hands a provider that stays down to Temporal, with the delay it asked for", async () => {
    const down = await setUp(() => errorReply(503, "overloaded", { "retry-after": "120" }));
    const error = await down.caller.call(callRequest("x", down.url)).catch((thrown: unknown) => thrown);
    expect(error).toBeInstanceOf(UnavailableError);
    expect(error).toMatchObject({ retryAfterMs: 120_000, message: expect.stringContaining("503") });
    expect(down.server.asked.length).toBe(1);
    const broken = await setUp(() => errorReply(500, "server_error"));
    await expect(broken.caller.call(callRequest("x", broken.url))).rejects.toThrow(UnavailableError);
    expect(broken.server.asked.length).toBe(4);
  });

  it("tells at once that a student's server is gone, since it comes back at another address", async () => {
    const { caller } = await setUp(() => ({ text: "" }));
    const gone = createServer().listen(0, "127.0.0.1");
    await new Promise((resolve) => gone.once("listening", resolve));
    const { port } = gone.address() as { port: number };
    await new Promise((resolve) => gone.close(resolve));
    const started = performance.now();
    await expect(caller.call(callRequest("x", `http://127.0.0.1:${port}/v1`, { role: "student" }))).rejects.toThrow(
      /ECONNREFUSED/,
    );
    expect(performance.now() - started).toBeLessThan(500);
  });

  it("gives up a call that keeps failing while others are answered", async () => {
    const { caller, url } = await setUp(({ text }) => (text === "poison" ? errorReply(500, "server_error") : { text: "fine" }));
    const thrown: unknown[] = [];
    await caller.call(callRequest("first of all", url));
    for (let round = 0; round < 3; round += 1) {
      const poison = caller.call(callRequest("poison", url)).catch((error: unknown) => thrown.push(error));
      await caller.call(callRequest(`other ${round}`, url));
      await poison;
    }
    expect(thrown.map((error) => (error as Error).name)).toEqual(["UnavailableError", "UnavailableError", "GaveUpError"]);
    expect(thrown[2]).toBeInstanceOf(GaveUpError);
  });

  it("gives nothing up in an outage that begins while calls are made", async () => {
    let out = false;
    const { caller, store, url } = await setUp(() => (out ? errorReply(503, "overloaded") : { text: "fine" }));
    await caller.call(callRequest("before", url));
    out = true;
    for (let round = 0; round < 5; round += 1) {
      const error = (await caller.call(callRequest("x", url)).catch((thrown: unknown) => thrown)) as Error;
      expect(error.name).toBe("UnavailableError");
    }
    out = false;
    expect((await caller.call(callRequest("x", url))).text).toBe("fine");
    expect((await store.usage("run-1")).reduce((sum, { failed }) => sum + failed, 0)).toBe(20);
  });

  it("does not count an outage against a call: it is given up for no failure that came while nobody was answered", async () => {
    let out = true;
    const { caller, store, url } = await setUp(({ text }) =>
      out || text === "poison" ? errorReply(503, "overloaded") : { text: "fine" },
    );
    const failure = async () => (await caller.call(callRequest("poison", url)).catch((error: unknown) => error)) as Error;
    for (let round = 0; round < 4; round += 1) expect((await failure()).name).toBe("UnavailableError");
    out = false;
    await caller.call(callRequest("other", url));
    expect((await failure()).name).toBe("UnavailableError");
    const [usage] = (await store.usage("run-1")).filter(({ failed }) => failed > 0);
    expect(usage?.failed).toBe(5 * 4);
  });

  it.each<[string, Reply, string]>([
    ["quota", errorReply(429, "insufficient_quota"), "quota"],
    ["a wrong key", errorReply(401, "invalid_api_key"), "auth"],
  ])("%s holds for a person, after one request", async (_, reply, reason) => {
    const { caller, server, url } = await setUp(() => reply);
    const error = await caller.call(callRequest("x", url)).catch((thrown: unknown) => thrown);
    expect(error).toBeInstanceOf(HoldError);
    expect(error).toMatchObject({ detail: { reason } });
    expect(server.asked.length).toBe(1);
  });

  it("holds where the key is not set, and uses it once it is", async () => {
    const { caller, server, url } = await setUp(() => ({ text: "hi" }));
    const request = callRequest("x", url, { endpoint: { apiKeyEnv: "ATTUNE_TEST_KEY" } });
    await expect(caller.call(request)).rejects.toThrow(/needs a key in ATTUNE_TEST_KEY/);
    process.env["ATTUNE_TEST_KEY"] = "sk-test";
    onTestFinished(() => void delete process.env["ATTUNE_TEST_KEY"]);
    await caller.call(request);
    expect(server.asked.map(({ headers }) => headers.authorization)).toEqual(["Bearer sk-test"]);
  });

  it("never tries a wrong request again", async () => {
    const { caller, server, url } = await setUp(() => errorReply(400, "invalid_request_error"));
    await expect(caller.call(callRequest("x", url))).rejects.toThrow(RefusedRequestError);
    expect(server.asked.length).toBe(1);
  });

  it("records filtered content as an outcome", async () => {
    const { caller, server, url } = await setUp(() => errorReply(400, "content_filter"));
    expect(await caller.call(callRequest("x", url))).toMatchObject({
      text: "",
      finishReason: "content_filter",
      refusal: expect.stringContaining("content_filter"),
      reread: false,
    });
    expect(await caller.call(callRequest("x", url))).toMatchObject({ finishReason: "content_filter", reread: true });
    expect(server.asked.length).toBe(1);
  });
});

describe("many calls", () => {
  it("all end under mixed faults, and every request is in the ledger", async () => {
    const faults: Reply[] = [errorReply(429, "rate_limit_exceeded"), errorReply(500, "server_error"), "reset"];
    const { caller, limiters, store, server, url } = await setUp(({ n }) =>
      n % 20 === 7 ? faults[Math.floor(n / 20) % 3]! : { text: "fine", delayMs: 5 },
    );
    const answers = await Promise.all(
      Array.from({ length: 600 }, (_, turn) => caller.call(callRequest("x", url, { turn, endpoint: { width: 32 } }))),
    );
    expect(new Set(answers.map(({ text }) => text))).toEqual(new Set(["fine"]));
    const usage = await store.usage("run-1");
    const sum = (of: "calls" | "failed") => usage.reduce((total, row) => total + row[of], 0);
    expect([sum("calls"), sum("calls") + sum("failed")]).toEqual([600, server.asked.length]);
    expect(sum("failed")).toBeGreaterThan(25);
    // One 429 in sixty is no burst.
    expect(limiters.met.get("api")?.width).toBe(32);
  });
});

describe("limits", () => {
  it("keeps calls in flight within the width, and frees the slot when done", async () => {
    const { caller, limiters, server, url } = await setUp(() => ({ text: "x", delayMs: 15 }));
    await Promise.all(
      Array.from({ length: 40 }, (_, turn) => caller.call(callRequest("x", url, { turn, endpoint: { width: 5 } }))),
    );
    expect(server.widest()).toBe(5);
    expect(limiters.met.get("api")).toMatchObject({ width: 5, inFlight: 0 });
  });

  it("holds a conversation at its allowance, without another request", async () => {
    const { caller, server, url } = await setUp(() => ({ text: "x" }));
    const meter = conversationMeter({ calls: 2, usd: null });
    for (const turn of [1, 2]) await caller.call(callRequest("x", url, { turn, meter }));
    await expect(caller.call(callRequest("x", url, { turn: 3, meter }))).rejects.toThrow(/allowance of 2 calls/);
    await caller.call(callRequest("x", url, { turn: 1, meter }));
    expect([server.asked.length, meter.spend.calls, meter.spend.reread]).toEqual([2, 2, 1]);
  });

  it.each<[string, Reply]>([
    ["in flight", "silence"],
    ["between tries", errorReply(500, "server_error")],
    ["waiting for a rate limit", errorReply(429, "rate_limit_exceeded", { "retry-after": "60" })],
  ])("an abort %s throws the signal's reason at once and frees the slot", async (_, reply) => {
    const { caller, limiters, url } = await setUp(() => reply);
    const controller = new AbortController();
    const reason = new Error("cancelled by the server");
    setTimeout(() => controller.abort(reason), 100);
    const started = performance.now();
    await expect(caller.call(callRequest("x", url, { signal: controller.signal }))).rejects.toBe(reason);
    expect(performance.now() - started).toBeLessThan(400);
    expect(limiters.met.get("api")?.inFlight).toBe(0);
  });

  it("leaves no listeners on the signal of a long conversation", async () => {
    const warnings: Error[] = [];
    const onWarning = (warning: Error) => warnings.push(warning);
    process.on("warning", onWarning);
    onTestFinished(() => void process.off("warning", onWarning));
    const { caller, url } = await setUp(() => ({ text: "x" }));
    const { signal } = new AbortController();
    for (let turn = 0; turn < 40; turn += 1) await caller.call(callRequest("x", url, { turn, signal }));
    expect(warnings.map(({ message }) => message)).toEqual([]);
  });
});
