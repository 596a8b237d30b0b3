import { setImmediate as turn } from "node:timers/promises";
import * as fc from "fast-check";
import { expect, it } from "vitest";
import type { CallAttempt, CallStore, StoredCall } from "../../../platform/calls/store.ts";
import { modelCaller } from "../../../platform/llm/caller.ts";
import { NoCompletionError } from "../../../platform/llm/completion.ts";
import { GaveUpError, UnavailableError } from "../../../platform/llm/errors.ts";
import { callRequest } from "../../support/call-request.ts";
import { completionBody } from "../../support/caller-bench.ts";
import { processLimiters } from "../../support/process-limiters.ts";

/** Time that moves on when all that can happen by now has happened. */
function virtualTime() {
  let time = Date.parse("2026-01-01T00:00:00Z");
  const start = time;
  let sleepers: { readonly at: number; readonly wake: () => void }[] = [];
  return {
    now: () => new Date(time),
    /** Seconds since the beginning. */
    seconds: () => (time - start) / 1000,
    sleep: (ms: number) => new Promise<void>((wake) => sleepers.push({ at: time + ms, wake })),
    run: async (work: Promise<unknown>) => {
      const state = { over: false };
      const end = () => (state.over = true);
      work.then(end, end);
      for (await turn(); !state.over; await turn()) {
        const [next] = sleepers.toSorted((a, b) => a.at - b.at);
        if (next === undefined) continue;
        sleepers = sleepers.filter((sleeper) => sleeper !== next);
        time = Math.max(time, next.at);
        next.wake();
      }
    },
  };
}

function storeInMemory(): Pick<CallStore, "get" | "put" | "note" | "failures"> {
  const calls = new Map<string, StoredCall>();
  const attempts: CallAttempt[] = [];
  return {
    get: async (key) => calls.get(key) ?? null,
    put: async (call) => {
      calls.set(call.key, call);
      return { call, won: true };
    },
    note: (attempt) => void attempts.push(attempt),
    failures: async (key) => {
      const times = attempts.filter((one) => one.key === key && one.outcome === "failed").map(({ at }) => at);
      return { count: times.length, firstAt: times.toSorted()[0] ?? null };
    },
  };
}

type Provider = (asked: { readonly text: string; readonly model: string; readonly at: number }) => "answers" | number;

/** Workers of one store whose provider answers after 0.3 s, unless it names the seconds after which it fails. */
function world(provider: Provider, workers = 1) {
  const time = virtualTime();
  const store = storeInMemory() as CallStore;
  let draw = 1;
  const random = () => (draw = (draw * 16_807) % 2_147_483_647) / 2_147_483_647;
  const callers = Array.from({ length: workers }, () =>
    modelCaller({
      store,
      limiters: processLimiters(),
      now: time.now,
      sleep: time.sleep,
      random,
      exchange: async ({ messages, model }) => {
        const fate = provider({ text: messages[0]?.content ?? "", model, at: time.seconds() });
        await time.sleep(fate === "answers" ? 300 : fate * 1000);
        if (fate !== "answers") throw new NoCompletionError("500 boom", { status: 500, code: "server_error" });
        return completionBody('"fine"');
      },
    }),
  );
  let tries = 0;
  /** As Temporal does: again after an outage, on any worker. Answers how it ended. */
  const ask = async (text: string, { model = "alias", on = () => (tries += 1), untilS = Infinity } = {}) => {
    while (time.seconds() < untilS) {
      const caller = callers[on() % workers];
      const request = callRequest(text, "http://unused", { model, endpoint: { width: 64 } });
      const error: unknown = await caller?.call(request).then(
        () => null,
        (thrown: unknown) => thrown,
      );
      if (error === null) return "answered";
      if (error instanceof GaveUpError) return "gave up";
      if (!(error instanceof UnavailableError)) throw error;
      await time.sleep(error.retryAfterMs);
    }
    return "still tried";
  };
  return { ...time, ask };
}

const poisoned: Provider = ({ text }) => (text === "poison" ? 0.1 : "answers");

it.each([2, 5, 10, 25])(
  "a call that always fails gives up, though the others ended %s s after its first failure",
  async (last) => {
    const { ask, run, seconds } = world(poisoned);
    const poison = ask("poison", { untilS: 600 });
    const others = async () => {
      for (let n = 0; seconds() < last; n += 1) await ask(`other ${n}`);
    };
    await run(Promise.all([poison, others()]));
    expect(await poison).toBe("gave up");
    expect(seconds()).toBeLessThan(60);
  },
);

it("several such calls at the end of a batch all give up, however slowly they fail", async () => {
  const { ask, run, seconds } = world(({ text }) => (text.startsWith("poison") ? 20 : "answers"));
  const poison = [1, 2, 3].map((n) => ask(`poison ${n}`, { untilS: 3600 }));
  const others = async () => {
    for (let n = 0; seconds() < 60; n += 1) await ask(`other ${n}`);
  };
  await run(Promise.all([...poison, others()]));
  expect(await Promise.all(poison)).toEqual(["gave up", "gave up", "gave up"]);
});

it("a call that failed on one worker gives up on another that answered others since", async () => {
  const { ask, run, seconds } = world(poisoned, 2);
  const before = ask("before", { on: () => 0 });
  const poison = before.then(() => ask("poison", { on: () => (seconds() < 1 ? 0 : 1), untilS: 600 }));
  const others = async () => {
    for (let n = 0; seconds() < 5; n += 1) await ask(`other ${n}`, { on: () => 1 });
  };
  await run(Promise.all([poison, others()]));
  expect(await poison).toBe("gave up");
});

it("a call that was never seen failing beside an answered one is tried for as long as it takes", async () => {
  const { ask, run, seconds } = world(({ text, at }) => (text === "last" && at < 7200 ? 0.1 : "answers"));
  const last = Promise.all([1, 2, 3].map((n) => ask(`other ${n}`))).then(() => ask("last"));
  await run(last);
  expect([await last, seconds() > 7200]).toEqual(["answered", true]);
});

it("a model that is out makes none of its calls give up, though others of its provider answer", async () => {
  const { ask, run, seconds } = world(({ model, at }) => (model === "large" && at > 2 && at < 900 ? 0.1 : "answers"));
  const ends: string[] = [];
  const converse = async (name: string) => {
    for (let n = 0; n < 5; n += 1) ends.push(await ask(`${name} ${n}`, { model: "large" }));
  };
  const others = async () => {
    for (let n = 0; seconds() < 1000; n += 1) await ask(`other ${n}`, { model: "small" });
  };
  await run(Promise.all([...["a", "b", "c"].map(converse), others()]));
  expect(new Set(ends)).toEqual(new Set(["answered"]));
});

it("a call that failed by chance just before an outage does not give up in it", async () => {
  let tries = 0;
  const { ask, run } = world(({ text, at }) => ((text === "a 3" && tries++ === 0) || (at > 1.25 && at < 600) ? 0.1 : "answers"));
  const ends: string[] = [];
  const converse = async (name: string) => {
    for (let n = 0; n < 8; n += 1) ends.push(await ask(`${name} ${n}`));
  };
  await run(Promise.all(["a", "b", "c"].map(converse)));
  expect(new Set(ends)).toEqual(new Set(["answered"]));
});

it("however often a provider goes out, with a glimpse of life in each outage, no call gives up", async () => {
  const seconds = (min: number, max: number) => fc.integer({ min: min * 10, max: max * 10 }).map((tenths) => tenths / 10);
  const outage = fc.tuple(seconds(0.4, 20), seconds(1, 90), seconds(0.4, 4), seconds(1, 90), fc.constant(15));
  const conversations = fc.array(fc.integer({ min: 1, max: 12 }), { minLength: 1, maxLength: 8 });
  await fc.assert(
    fc.asyncProperty(fc.array(outage, { minLength: 1, maxLength: 3 }), conversations, async (outages, all) => {
      /** Up, down, up, … */
      const phases = outages.flatMap(([up, first, glimpse, second, after]) => [up, first, glimpse, second, after, 0]);
      const { ask, run } = world(({ at }) => {
        let end = 0;
        const phase = phases.findIndex((length) => at < (end += length));
        return phase % 2 === 1 ? 0.1 : "answers";
      });
      const ends: string[] = [];
      const converse = async (turns: number, who: number) => {
        for (let n = 0; n < turns; n += 1) ends.push(await ask(`${who} ${n}`));
      };
      await run(Promise.all(all.map(converse)));
      expect(new Set(ends)).toEqual(new Set(["answered"]));
    }),
    { numRuns: 200 },
  );
});
