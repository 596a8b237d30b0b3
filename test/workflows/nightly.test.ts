import { afterAll, beforeAll, expect, test } from "vitest";
import type { NightlyInput, NightlyResult } from "../../contract/experiment.ts";
import { client, nightWith, onStage, setUp, tearDown } from "./harness.ts";

beforeAll(setUp);
afterAll(tearDown);

test.concurrent("a night evaluates the published adapters under its own epoch and returns the verdict as a result", async () => {
  let asked = "";
  await onStage(
    {},
    async ({ world, input }) => {
      const epochs = new Set<string>();
      world.unit = async ({ run }) => {
        epochs.add(run.epoch);
        return { status: "done", spend: { calls: 1, reread: 0, usd: 0 } };
      };
      const workflowId = `nightly-${input.run.name}-2026-11-24T03:00:00Z`;
      const result = await client().workflow.execute<(input: NightlyInput) => Promise<NightlyResult>>("nightly", {
        workflowId,
        taskQueue: input.queues.control,
        args: [{ experiment: input.run.name, queues: input.queues }],
      });
      expect(result.verdict).toBe("regressed");
      expect(asked).toMatch(/^\d{4}-\d\d-\d\dT\d\d-\d\d-\d\d$/);
      expect([...epochs]).toEqual([asked]);
      expect(world.events.filter((event) => event.startsWith("unit evaluate"))).toHaveLength(4);
      expect(world.events).toContain("sealed evaluate/small");
      expect(world.stopped.some((job) => job.endsWith("serve"))).toBe(true);
      expect((await client().workflow.getHandle(`${workflowId}/eval/small/one/adapter`).describe()).status.name).toBe(
        "COMPLETED",
      );
    },
    {
      bend: (made) => {
        made.control.openNight = async ({ experiment, night }) => {
          asked = night;
          return nightWith({ experiment, night });
        };
        made.control.judgeNight = async ({ night }) => ({
          verdict: "regressed",
          night: night.night,
          details: null,
          regressed: ["one"],
        });
      },
    },
  );
});
