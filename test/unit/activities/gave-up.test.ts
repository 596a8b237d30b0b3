import { expect, test } from "vitest";
import { makeConverseActivities } from "../../../activities/converse/converse.ts";
import { makeMeasureActivities } from "../../../activities/measure/measure.ts";
import { readUnit } from "../../../activities/units.ts";
import { failures } from "../../../contract/failures.ts";
import type { UnitOutcome } from "../../../contract/units.ts";
import { modelCaller } from "../../../platform/llm/caller.ts";
import { errorReply } from "../../support/chat-server.ts";
import { processLimiters } from "../../support/process-limiters.ts";
import { attempt, ownTurns, play, run, stageBench, unitInput } from "../../support/stage-bench.ts";

const group = { stage: "converse", context: "distress" } as const;

test("a call that fails twelve times while others are answered ends its own conversation as failed: gave-up, and the batch goes on", async () => {
  let poisoned = 0;
  /** The first one that asks for a second reply; every try asks with the same message. */
  let poison: string | null = null;
  const script = play({
    user: (asked) => `Message ${ownTurns(asked)} of somebody new, number ${asked.n}.`,
    assistant: (asked) => {
      if (ownTurns(asked) === 1) poison ??= asked.text;
      if (asked.text !== poison) return `Reply to ${asked.text}`;
      poisoned += 1;
      return errorReply(500, "server_error");
    },
  });
  const bench = await stageBench({ script, settings: { converse: { conversations: 12, turns: 2 } } });
  let others = 0;
  const outcomes: UnitOutcome[] = [];
  // While the failing call waits for its next try, the next conversation is written.
  const sleep = async () => {
    others += 1;
    outcomes.push(await attempt(converse, unitInput(group, others)));
  };
  const caller = modelCaller({ store: bench.deps.callStore, limiters: processLimiters(), sleep, random: () => 0 });
  const deps = { ...bench.deps, caller };
  await makeMeasureActivities(deps).measure({ run });
  const { converse, sealConversations } = makeConverseActivities(deps);

  // Temporal's part: what the provider is to blame for is attempted again.
  for (let tried = 1; tried <= 2; tried += 1) {
    await expect(attempt(converse, unitInput(group, 0))).rejects.toMatchObject({ type: failures.unavailable });
    expect(await readUnit(deps, run, group, 0)).toBeNull();
  }
  const gaveUp = await attempt(converse, unitInput(group, 0));
  expect(gaveUp).toMatchObject({ status: "failed", reason: "gave-up", spend: { calls: 0, reread: 4 } });
  expect(poisoned).toBe(12);
  expect(bench.warnings).toEqual([expect.stringMatching(/^Gave up converse of distress-00000: .*500.*others are answered/)]);

  for (let unit = others + 1; unit < 12; unit += 1) outcomes.push(await attempt(converse, unitInput(group, unit)));
  expect(outcomes.map(({ status }) => status)).toEqual(Array.from({ length: 11 }, () => "done"));
  const asked = bench.server.asked.length;
  expect(await attempt(converse, unitInput(group, 0))).toMatchObject({ status: "failed", spend: { calls: 0, reread: 0 } });
  expect(bench.server.asked).toHaveLength(asked);
  const { counts, outputs } = await sealConversations({ run, context: "distress" });
  expect(counts).toEqual({ asked: 12, done: 11, dropped: 0, failed: 1, "failed:gave-up": 1 });
  expect(outputs["conversations"]?.rows).toBe(11);
});
