import { join } from "node:path";
import { expect, it, onTestFinished } from "vitest";
import { sqliteCalls } from "../../../platform/calls/sqlite.ts";
import { modelCaller } from "../../../platform/llm/caller.ts";
import { adaptiveLimiter } from "../../../platform/llm/limiter.ts";
import type { Limiters } from "../../../platform/llm/limiters.ts";
import { callRequest } from "../../support/call-request.ts";
import { chatServer, errorReply } from "../../support/chat-server.ts";
import { tempFolder } from "../../support/temp-folder.ts";

const items = 200;
const width = 64;
const stormMs = 10 * 60_000;
/** Time runs this much faster for all waits; the HTTP server and the store are as slow as ever. */
const speed = 150;

const began = performance.now();
const clock = {
  now: () => (performance.now() - began) * speed,
  sleep: (ms: number) => new Promise<void>((resolve) => setTimeout(resolve, ms / speed)),
};

it("ten minutes of nothing but 429 lose no call, use up no attempt and are not hammered; then the full width comes back", async () => {
  const start = clock.now();
  const arrivals: number[] = [];
  const server = await chatServer(() => {
    const at = clock.now() - start;
    arrivals.push(at);
    return at < stormMs ? errorReply(429, "rate_limit_exceeded") : { text: "fine" };
  });
  const store = sqliteCalls(join(tempFolder(), "calls.db"));
  onTestFinished(async () => {
    await server.close();
    await store.close();
  });
  const limiter = adaptiveLimiter({ width }, clock);
  const limiters: Limiters = { of: () => limiter, close: async () => undefined };
  const caller = modelCaller({ store, limiters, now: () => new Date(clock.now()), sleep: clock.sleep });
  const ask = (turn: number) => caller.call(callRequest("x", server.baseUrl, { turn, endpoint: { width } }));

  const answers = await Promise.all(Array.from({ length: items }, (_, turn) => ask(turn)));
  expect(answers.map(({ text }) => text)).toEqual(answers.map(() => "fine"));
  for (const { key } of answers) expect((await store.failures(key)).count).toBe(0);
  const during = arrivals.filter((at) => at < stormMs);
  // Beside the first burst, some ten a minute at most.
  expect(during.length).toBeGreaterThan(width);
  const burstEnd = during[width - 1] ?? 0;
  expect(during.filter((at) => at > burstEnd + 60_000).length).toBeLessThan(120);
  expect(arrivals.length).toBe(during.length + items);

  for (let turn = items; limiter.width < width; turn += width) {
    expect(turn).toBeLessThan(items + 60 * width);
    await Promise.all(Array.from({ length: width }, (_, i) => ask(turn + i)));
  }
});
