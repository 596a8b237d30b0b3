import { afterAll, beforeAll, expect, test } from "vitest";
import type { NightlyInput, NightlyResult } from "../../contract/experiment.ts";
import type { HoldDetail } from "../../contract/failures.ts";
import { messages } from "../../contract/messages.ts";
import { client, heldFor, nightWith, onStage, progressOf, setUp, tearDown, until } from "./harness.ts";
import { done, failure } from "./stubs.ts";
import type { World } from "./stubs.ts";

beforeAll(setUp);
afterAll(tearDown);

const quota: HoldDetail = { reason: "quota", message: "The account is out of credit", remedy: "Top it up" };

/** Waits until no conversation is open, and then a while for what might come of their ends. */
async function settle(world: World): Promise<void> {
  await until(() => world.open === 0, "open conversations to end");
  await new Promise((resolve) => setTimeout(resolve, 2000));
}

test.concurrent(
  "a run that is held for its budget in the evaluation has no scores, no report, no experts and no number until it is lifted",
  async () => {
    const asked: string[] = [];
    await onStage(
      { conversations: 2, budget: { calls: 8, usd: null } },
      async ({ world, start }) => {
        const handle = await start();
        const held = await heldFor(handle, "budget");
        await settle(world);
        // Some of its conversations were held, not all.
        const evaluated = world.events.filter((event) => event.startsWith("unit evaluate")).length;
        expect(evaluated).toBeLessThan(8);
        expect(world.spendCalls).toBeLessThanOrEqual(8);
        expect(asked).toEqual([]);
        expect(world.events.filter((event) => /score|sealed (?:evaluate|report)/.test(event) && event.includes("eval"))).toEqual(
          [],
        );
        expect(held.stages.find(({ key }) => key === "report")).toMatchObject({ state: "waiting", done: 0 });
        const { typedSearchAttributes, status } = await handle.describe();
        expect(status.name).toBe("RUNNING");
        expect(typedSearchAttributes.getAll().map(({ key }) => key.name)).not.toContain("AttuneGapReduction");
        const { currentDetails = "" } = await handle.query<{ currentDetails?: string }>("__temporal_workflow_metadata");
        expect(currentDetails).toMatch(/Held \(budget\)/);
        expect(currentDetails).not.toMatch(/gap|passed|regressed|verdict/i);

        await handle.executeUpdate<void, [object]>(messages.raiseBudget, { args: [{ calls: 100, usd: null }] });
        expect(await handle.result()).toMatchObject({ outcome: "finished", gapReduction: 0.5 });
        expect(asked).toEqual(["report", "publish"]);
        expect(world.at("sealed evaluate/small")).toBeLessThan(world.at("sealed report"));
        expect((await progressOf(handle)).hold).toBeNull();
      },
      {
        bend: ({ control }) => {
          const { buildReport, publish } = control;
          control.buildReport = async (input) => {
            asked.push("report");
            return buildReport(input);
          };
          control.publish = async (input) => {
            asked.push("publish");
            return publish(input);
          };
        },
      },
    );
  },
);

test.concurrent("a held night is not judged until it goes on", async () => {
  let judged = 0;
  await onStage(
    {},
    async ({ world, input }) => {
      let mended = false;
      world.unit = async ({ unit, group }) => {
        if (group.context === "two" && unit === 1 && !mended) throw failure("Held", quota);
        return done;
      };
      const handle = await client().workflow.start<(input: NightlyInput) => Promise<NightlyResult>>("nightly", {
        workflowId: `night/${input.run.name}-2026-11-24T03:00:00Z`,
        taskQueue: input.queues.control,
        args: [{ experiment: input.run.name, queues: input.queues }],
      });
      // A night answers once it knows what it evaluates.
      const held = () =>
        progressOf(handle)
          .then(({ hold }) => hold?.reason === "quota")
          .catch(() => false);
      await until(held, "a hold for quota");
      await settle(world);
      expect(judged).toBe(0);
      expect(world.events.filter((event) => event.includes("score"))).toEqual([]);
      expect((await handle.describe()).status.name).toBe("RUNNING");
      mended = true;
      await handle.executeUpdate(messages.resume);
      expect(await handle.result()).toMatchObject({ verdict: "passed" });
      expect(judged).toBe(1);
    },
    {
      bend: ({ control }) => {
        control.openNight = async (wanted) => nightWith(wanted);
        control.judgeNight = async ({ night: { night } }) => {
          judged += 1;
          return { verdict: "passed", night, details: null, regressed: [] };
        };
      },
    },
  );
});
