import { join } from "node:path";
import { DatabaseSync } from "node:sqlite";
import { describe, expect, it, onTestFinished } from "vitest";
import { HoldError } from "../../../platform/llm/errors.ts";
import { conversationMeter } from "../../../platform/llm/meter.ts";
import { callRequest } from "../../support/call-request.ts";
import { callerBench, thrownBy } from "../../support/caller-bench.ts";
import { errorReply } from "../../support/chat-server.ts";

describe("money", () => {
  // 100 tokens in, 40 of them cached, and 20 out: (60 × 1 + 40 × 0.5 + 20 × 10) millionths of a dollar.
  const each = 280e-6;
  /** What one call reserves: a prompt of a token and an answer of 50. */
  const reservation = (1 + 50 * 10) / 1e6;

  it("200 calls at once, at 99 % of the cap, spend no more than the cap and what one of them had reserved", async () => {
    const { caller, store, server, url } = await callerBench(() => ({ text: "x", delayMs: 5 }));
    const cap = 100 * each;
    const meter = conversationMeter({ calls: null, usd: cap });
    for (let turn = 0; turn < 99; turn += 1) await caller.call(callRequest("x", url, { turn, meter }));
    const rest = Array.from({ length: 200 }, (_, i) =>
      caller.call(callRequest("x", url, { turn: 99 + i, meter, endpoint: { width: 64 } })),
    );
    const refused = (await Promise.allSettled(rest)).filter(({ status }) => status === "rejected");
    expect(refused.length).toBeGreaterThan(190);
    for (const one of refused) expect((one as PromiseRejectedResult).reason).toMatchObject({ detail: { reason: "budget" } });
    const { usd } = await store.spend("run-1");
    expect(usd).toBeCloseTo(meter.spend.usd ?? -1, 9);
    expect(usd).toBeCloseTo(server.asked.length * each, 9);
    expect(usd).toBeLessThanOrEqual(cap + reservation);
  });

  it("a cap smaller than one call lets one through and holds the next", async () => {
    const { caller, server, url } = await callerBench(() => ({ text: "x" }));
    const meter = conversationMeter({ calls: null, usd: each / 1000 });
    const calls = Array.from({ length: 5 }, (_, turn) => thrownBy(caller.call(callRequest("x", url, { turn, meter }))));
    expect((await Promise.all(calls)).map((error) => error instanceof HoldError)).toEqual([false, true, true, true, true]);
    expect(server.asked.length).toBe(1);
  });

  it("a failed call gives back what it reserved", async () => {
    const { caller, url } = await callerBench(({ n }) => (n < 3 ? errorReply(500, "server_error") : { text: "x" }));
    const meter = conversationMeter({ calls: 1, usd: null });
    await caller.call(callRequest("x", url, { meter }));
    expect(meter.spend).toMatchObject({ calls: 1, usd: each });
  });
});

describe("an answer that can't be recorded", () => {
  it("holds the run, since asking again would be paid again; once there is room, the call is made", async () => {
    const { caller, limiters, server, url, folder } = await callerBench(() => ({ text: "fine" }));
    const db = new DatabaseSync(join(folder, "calls.db"));
    onTestFinished(() => db.close());
    db.exec("CREATE TRIGGER no_room BEFORE INSERT ON calls BEGIN SELECT RAISE(ABORT, 'database or disk is full'); END");
    const error = await thrownBy(caller.call(callRequest("x", url)));
    expect(error).toBeInstanceOf(HoldError);
    expect(error).toMatchObject({
      detail: {
        reason: "operator",
        message: expect.stringMatching(/calls\.db.*database or disk is full/),
        remedy: expect.stringMatching(/has space.*attune resume/),
      },
    });
    expect([server.asked.length, limiters.met.get("api")?.inFlight]).toEqual([1, 0]);
    db.exec("DROP TRIGGER no_room");
    expect(await caller.call(callRequest("x", url))).toMatchObject({ text: "fine", reread: false });
  });
});
