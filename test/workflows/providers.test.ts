import { setTimeout as pause } from "node:timers/promises";
import { afterAll, beforeAll, expect, test } from "vitest";
import { messages } from "../../contract/messages.ts";
import { type Asked, errorReply, type Reply } from "../support/chat-server.ts";
import { play } from "../support/stage-bench.ts";
import { client, heldFor, progressOf, setUp, tearDown, until } from "./harness.ts";
import { conversing } from "./real-conversations.ts";

beforeAll(setUp);
afterAll(tearDown);

/** Conversations in all, three open per context; a persona and two turns of both make five calls each. */
const [plan, open, calls] = [{ conversations: 6, window: 3 }, 6, 60];
const answer = play({});
const slowly = (asked: Asked): Reply => ({ ...(answer(asked) as { readonly text: string }), delayMs: 100 });

test.each([
  ["a key that is refused", "auth", errorReply(401, "invalid_api_key")],
  ["a quota that is used up", "quota", errorReply(429, "insufficient_quota")],
] as const)(
  "%s in mid-run holds it within ten seconds; resumed, it ends and has repeated no call",
  async (_, reason, refusal) => {
    let refuses = false;
    await conversing(
      plan,
      (asked) => (refuses ? refusal : slowly(asked)),
      async ({ start, provider }) => {
        const handle = await start();
        await until(() => provider.answered().length >= 12, "calls");
        refuses = true;
        const since = Date.now();
        const { hold } = await heldFor(handle, reason);
        expect(hold?.remedy).toMatch(/attune resume/);
        const holdReason = async () =>
          (await handle.describe()).typedSearchAttributes.getAll().find(({ key }) => key.name === "AttuneHoldReason")?.value;
        await until(async () => (await holdReason()) === reason, "the reason in the list of runs");
        expect(Date.now() - since).toBeLessThan(10_000);
        await pause(1500);
        const asked = provider.log.length;
        // Each open conversation was refused once, and none has begun since.
        expect(asked - provider.answered().length).toBeLessThanOrEqual(open);
        await pause(1500);
        expect(provider.log).toHaveLength(asked);

        refuses = false;
        await handle.executeUpdate(messages.resume);
        await handle.result();
        expect(provider.answered()).toHaveLength(calls);
        expect(provider.askedAgain()).toEqual([]);
        expect(provider.recorded().toSorted()).toEqual(provider.answered().toSorted());
        const { stages, spend } = await progressOf(handle);
        expect(spend).toMatchObject({ calls });
        expect(stages.filter(({ stage }) => stage === "converse")).toMatchObject([{ done: 6 }, { done: 6 }]);
      },
    );
  },
);

test("a cap on calls holds the run before it is passed; raised, the run ends and has repeated no call", async () => {
  const cap = 27;
  await conversing({ ...plan, budget: { calls: cap, usd: null } }, slowly, async ({ start, provider }) => {
    const handle = await start();
    await heldFor(handle, "budget");
    await pause(1500);
    expect(provider.log.length).toBeGreaterThan(0);
    expect(provider.log.length).toBeLessThanOrEqual(cap);
    expect((await progressOf(handle)).spend.calls).toBe(provider.recorded().length);
    await handle.executeUpdate<void, [object]>(messages.raiseBudget, { args: [{ calls: 1000, usd: null }] });
    await handle.result();
    expect(provider.answered()).toHaveLength(calls);
    expect(provider.askedAgain()).toEqual([]);
  });
});

test("what a conversation spent before an attempt of it failed counts, too: a cap is not passed", async () => {
  const cap = 100;
  const failed = new Map<string, number>();
  /** Fails the last call of each conversation as often as one attempt asks. */
  const flapping = (asked: Asked): Reply => {
    const { messages } = asked.body;
    const key = String(asked.headers["x-attune-key"]);
    const last = messages.length === 4 && messages[0]?.content.startsWith("You play the person") === false;
    const times = failed.get(key) ?? 0;
    if (!last || times >= 4) return answer(asked);
    failed.set(key, times + 1);
    return errorReply(500, "server_error");
  };
  // 200 calls if nothing held them.
  const many = { conversations: 20, window: 4, budget: { calls: cap, usd: null } };
  await conversing(many, flapping, async ({ start, provider }) => {
    const handle = await start();
    await until(async () => (await progressOf(handle)).hold?.reason === "budget", "a hold for the budget", 50_000);
    await pause(1500);
    expect(provider.recorded().length).toBeGreaterThan(cap / 2);
    expect(provider.recorded().length).toBeLessThanOrEqual(cap);
    await handle.executeUpdate<void, [object]>(messages.raiseBudget, { args: [{ calls: 1000, usd: null }] });
    await until(() => provider.recorded().length > cap, "it to go on");
  });
});

test("twenty seconds of nothing but 429 lose no conversation, use up no attempt and repeat no call", async () => {
  let storm = false;
  await conversing(
    plan,
    (asked) => (storm ? errorReply(429, "rate_limit_exceeded", { "retry-after": "1" }) : slowly(asked)),
    async ({ start, provider, workflowId }) => {
      const handle = await start();
      await until(() => provider.answered().length >= 12, "calls");
      storm = true;
      await pause(20_000);
      storm = false;
      await handle.result();
      const limited = provider.log.length - provider.answered().length;
      expect(limited).toBeGreaterThan(open);
      // No conversation asks more often than it was told.
      expect(limited).toBeLessThanOrEqual(21 * open);
      expect(provider.answered()).toHaveLength(calls);
      expect(provider.askedAgain()).toEqual([]);
      expect(provider.outcomes()).toEqual(["limited"]);
      for (const context of ["distress", "learning"]) {
        const { events } = await client().workflow.getHandle(`${workflowId}/converse/${context}/0`).fetchHistory();
        const attempts = (events ?? []).flatMap(({ activityTaskStartedEventAttributes: begun }) => begun?.attempt ?? []);
        expect(attempts).toEqual([1, 1, 1, 1, 1, 1]);
      }
    },
  );
});
