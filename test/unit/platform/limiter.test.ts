import { describe, expect, it } from "vitest";
import { adaptiveLimiter, type CallResult, type Clock, type Limits, type Slot } from "../../../platform/llm/limiter.ts";

/** Time that moves only when told. */
function fakeClock() {
  let time = 0;
  let sleepers: { at: number; wake: () => void }[] = [];
  const clock: Clock = {
    now: () => time,
    sleep: (ms) => new Promise((resolve) => sleepers.push({ at: time + ms, wake: resolve })),
  };
  const settle = async () => {
    for (let i = 0; i < 5; i += 1) await Promise.resolve();
  };
  return {
    clock,
    settle,
    at: () => time,
    /** Moves on, stopping at every sleeper. */
    advance: async (ms: number) => {
      const until = time + ms;
      await settle();
      for (;;) {
        const due = sleepers.filter(({ at }) => at <= until).toSorted((a, b) => a.at - b.at)[0];
        if (due === undefined) break;
        sleepers = sleepers.filter((sleeper) => sleeper !== due);
        time = Math.max(time, due.at);
        due.wake();
        await settle();
      }
      time = until;
    },
  };
}

function setUp(limits: Limits) {
  const time = fakeClock();
  const limiter = adaptiveLimiter(limits, time.clock);
  const held: Slot[] = [];
  const ask = (n: number, tokens?: number) => {
    for (let i = 0; i < n; i += 1) void limiter.acquire(tokens === undefined ? {} : { tokens }).then((slot) => held.push(slot));
    return time.settle();
  };
  const release = async (result: CallResult, n = held.length, tokens?: number) => {
    for (const slot of held.splice(0, n)) slot.release(result, tokens);
    await time.settle();
  };
  return { ...time, limiter, held, ask, release };
}

const ok: CallResult = { outcome: "ok" };
const limited: CallResult = { outcome: "rate-limited", retryAfterMs: null };

describe("width", () => {
  it("lets no more calls out than the width, in order", async () => {
    const { limiter, held, ask, release } = setUp({ width: 3 });
    await ask(5);
    expect(held.length).toBe(3);
    await release(ok, 1);
    expect([limiter.inFlight, held.length]).toEqual([3, 3]);
  });

  it("keeps few units half-done while many wait, and is full until the last ones end together", async () => {
    const [width, units, calls, ms] = [8, 38, 10, 100];
    const { limiter, clock, advance, at } = setUp({ width });
    const done = Array.from({ length: units }, () => 0);
    let halfDone = 0;
    let ended = 0;
    const unit = async (i: number) => {
      for (let progress = 0; progress < calls; progress += 1) {
        const slot = await limiter.acquire({ progress });
        await clock.sleep(ms + ((i * 7 + progress * 3) % 11) - 5);
        done[i] = progress + 1;
        slot.release(ok);
        if (limiter.waiting > width) halfDone = Math.max(halfDone, done.filter((count) => count > 0 && count < calls).length);
      }
      ended = at();
    };
    for (let i = 0; i < units; i += 1) void unit(i);
    await advance(10_000);
    expect(done.every((count) => count === calls)).toBe(true);
    expect(halfDone).toBeLessThanOrEqual(2 * width);
    expect((units * calls * ms) / width / ended).toBeGreaterThan(0.95);
  });

  it("cuts once for a burst, however many calls it hit", async () => {
    const { limiter, ask, release } = setUp({ width: 64 });
    await ask(64);
    await release(limited);
    expect(limiter.width).toBe(48);
  });

  it("pauses everyone after a burst, for as long as the provider asks", async () => {
    const { held, ask, release, advance } = setUp({ width: 64 });
    await ask(64);
    await release({ outcome: "rate-limited", retryAfterMs: 5000 });
    await ask(10);
    await advance(4999);
    expect(held.length).toBe(0);
    await advance(2);
    expect(held.length).toBe(10);
  });

  it("does not cut or pause for stray 429s: 2 of 100 cost nobody else anything", async () => {
    const { limiter, held, ask, release } = setUp({ width: 64 });
    for (let round = 0; round < 50; round += 1) {
      await ask(64);
      expect(held.length).toBe(64);
      await release(limited, 1);
      await release(ok);
    }
    expect(limiter.width).toBe(64);
  });

  it("does not cut for other failures", async () => {
    const { limiter, ask, release } = setUp({ width: 8 });
    await ask(8);
    await release({ outcome: "failed" });
    expect(limiter.width).toBe(8);
  });

  it("comes back to the ceiling by successes, a width's worth at a time", async () => {
    const { limiter, held, ask, release, advance } = setUp({ width: 40 });
    await ask(40);
    await release(limited);
    expect(limiter.width).toBe(30);
    await advance(1001);
    let rounds = 0;
    while (limiter.width < 40) {
      await ask(limiter.width);
      expect(held.length).toBeLessThanOrEqual(40);
      await release(ok);
      rounds += 1;
      expect(rounds).toBeLessThan(20);
    }
    expect(rounds).toBe(5);
  });

  it("bounds the requests of a storm of two minutes, and recovers", async () => {
    const { limiter, held, ask, release, advance, at } = setUp({ width: 64 });
    await ask(5000);
    let requests = 0;
    while (at() < 120_000) {
      requests += held.length;
      await release(limited);
      await advance(100);
    }
    expect(limiter.width).toBeLessThanOrEqual(8);
    expect(requests).toBeLessThan(400);
    await advance(30_000);
    for (let steps = 0; limiter.width < 64; steps += 1) {
      expect(steps).toBeLessThan(200);
      await release(ok);
      await advance(100);
    }
  });

  it("takes on another ceiling while calls are in flight", async () => {
    const { limiter, held, ask, release } = setUp({ width: 4 });
    await ask(10);
    limiter.retune({ width: 6 });
    await ask(0);
    expect(held.length).toBe(6);
    limiter.retune({ width: 2 });
    await release(ok, 3);
    expect([limiter.inFlight, limiter.width]).toEqual([3, 2]);
  });

  it("lets none through once its limits have run out, until others come", async () => {
    const { limiter, held, ask, release, advance } = setUp({ width: 2, until: 1000 });
    await ask(5);
    expect(held.length).toBe(2);
    await advance(1001);
    await release(ok);
    expect([held.length, limiter.width]).toEqual([0, 0]);
    limiter.retune({ width: 2 });
    await ask(0);
    expect(held.length).toBe(2);
  });

  it("gives a waiting caller up when it is aborted, and its slot to the next", async () => {
    const { limiter, held, ask, release, settle } = setUp({ width: 1 });
    await ask(1);
    const controller = new AbortController();
    const aborted = limiter.acquire({ signal: controller.signal }).catch((error: unknown) => error);
    await ask(1);
    controller.abort(new Error("cancelled"));
    expect(await aborted).toEqual(new Error("cancelled"));
    await release(ok);
    await settle();
    expect([held.length, limiter.inFlight]).toEqual([1, 1]);
    await expect(limiter.acquire({ signal: controller.signal })).rejects.toThrow("cancelled");
  });
});

describe("per-minute limits", () => {
  it("lets as many requests begin in a minute as the limit says", async () => {
    const { held, ask, release, advance } = setUp({ width: 100, requestsPerMinute: 10 });
    await ask(25);
    expect(held.length).toBe(10);
    await release(ok);
    await advance(59_999);
    expect(held.length).toBe(0);
    await advance(2);
    expect(held.length).toBe(10);
  });

  it("counts tokens by estimate first, then by what was used", async () => {
    const { held, ask, release, advance } = setUp({ width: 100, tokensPerMinute: 1000 });
    await ask(5, 400);
    expect(held.length).toBe(2);
    await release(ok, 2, 100);
    expect(held.length).toBe(2);
    await release(ok, 2, 400);
    expect(held.length).toBe(0);
    await advance(60_001);
    expect(held.length).toBe(1);
  });

  it("lets a call through that is larger than the limit, alone", async () => {
    const { held, ask } = setUp({ width: 4, tokensPerMinute: 100 });
    await ask(2, 5000);
    expect(held.length).toBe(1);
  });
});
