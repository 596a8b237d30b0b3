import * as fc from "fast-check";
import { afterEach, beforeEach, expect, it, vi } from "vitest";
import type { Endpoint } from "../../../platform/llm/client.ts";
import { sharedLimiters } from "../../../platform/llm/limiters.ts";
import type { Records } from "../../../platform/records/records.ts";

beforeEach(() => void vi.useFakeTimers());
afterEach(() => void vi.useRealTimers());

function recordsInMemory(): Pick<Records, "get" | "put"> {
  const all = new Map<string, { readonly value: unknown; readonly version: string }>();
  let writes = 0;
  return {
    get: async (key) => {
      const found = all.get(key);
      return found === undefined ? null : { key, ...found };
    },
    put: async (key, value, version) => {
      if ((all.get(key)?.version ?? null) !== version) return false;
      all.set(key, { value, version: String((writes += 1)) });
      return true;
    },
  };
}

interface Begun {
  readonly at: number;
  readonly tokens: number;
  readonly worker: number;
}

/** Each worker makes its calls again and again, `lanes` at a time, for so many minutes. */
async function begunBy(workers: readonly (readonly number[])[], limit: number, { lanes = 2, minutes = 10 } = {}) {
  const begun: Begun[] = [];
  const end = performance.now() + minutes * 60_000;
  const records = recordsInMemory() as Records;
  const limiters = workers.map((_, worker) => sharedLimiters(records, `worker ${worker}`));
  const endpoint = { provider: "p", baseUrl: "", width: 16, tokensPerMinute: limit } as unknown as Endpoint;
  const lane = async (worker: number, calls: readonly number[]) => {
    for (let n = 0; performance.now() < end; n += 1) {
      const tokens = calls[n % calls.length] ?? 1;
      const slot = await limiters[worker]?.of(endpoint).acquire({ tokens });
      begun.push({ at: performance.now(), tokens, worker });
      await new Promise((resolve) => setTimeout(resolve, 500));
      slot?.release({ outcome: "ok" }, tokens);
    }
  };
  workers.forEach((calls, worker) => {
    for (let n = 0; n < lanes; n += 1) void lane(worker, calls);
  });
  while (performance.now() < end) await vi.advanceTimersByTimeAsync(997);
  // The lanes' last calls wait on.
  await Promise.all(limiters.map((one) => one.close()));
  return begun;
}

/** The most tokens that began within a minute, a call that is larger than the limit counted as the limit. */
function mostInAMinute(begun: readonly Begun[], limit: number): number {
  const within = ({ at }: Begun) => begun.filter((other) => other.at > at - 60_000 && other.at <= at);
  const sum = (calls: readonly Begun[]) => calls.reduce((total, { tokens }) => total + Math.min(tokens, limit), 0);
  return Math.max(0, ...begun.map((call) => sum(within(call))));
}

it("three workers with calls of half the limit keep to the limit together, use it up and take turns", async () => {
  const begun = await begunBy([[3000], [3000], [3000]], 6000, { minutes: 20 });
  expect(mostInAMinute(begun, 6000)).toBe(6000);
  expect(begun.length).toBeGreaterThan(2 * 14);
  for (const worker of [0, 1, 2]) expect(begun.filter((call) => call.worker === worker).length).toBeGreaterThan(6);
});

it("a call larger than the whole limit gets a minute for itself, though others have small ones", async () => {
  const begun = await begunBy([[500], [9000], [200, 800]], 6000, { minutes: 20 });
  expect(mostInAMinute(begun, 6000)).toBeLessThanOrEqual(6000);
  for (const worker of [0, 1, 2]) expect(begun.filter((call) => call.worker === worker).length).toBeGreaterThan(2);
});

it("small calls of many workers lose nothing by it", async () => {
  const begun = await begunBy([[100], [100], [100]], 6000, { minutes: 10 });
  expect(mostInAMinute(begun, 6000)).toBeLessThanOrEqual(6000);
  expect(begun.length).toBeGreaterThan(0.9 * 600);
});

it("whatever their calls, workers keep to a limit together and each begins one in time", async () => {
  const calls = fc.array(fc.integer({ min: 1, max: 9000 }), { minLength: 1, maxLength: 3 });
  await fc.assert(
    fc.asyncProperty(
      fc.array(calls, { minLength: 1, maxLength: 4 }),
      fc.integer({ min: 1000, max: 8000 }),
      async (all, limit) => {
        const begun = await begunBy(all, limit, { minutes: 15 });
        expect(mostInAMinute(begun, limit)).toBeLessThanOrEqual(limit);
        expect(new Set(begun.map(({ worker }) => worker)).size).toBe(all.length);
        // The next ones too: within the last turns of all.
        const late = begun.filter(({ at }) => at > performance.now() - 8 * 60_000);
        expect(new Set(late.map(({ worker }) => worker)).size).toBe(all.length);
      },
    ),
    { numRuns: 25 },
  );
});
