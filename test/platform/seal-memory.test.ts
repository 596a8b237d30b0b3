import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { expect, it } from "vitest";
import type { StageRecord } from "../../contract/stages.ts";
import { runFixture } from "../support/processes.ts";
import { play, run, stageBench } from "../support/stage-bench.ts";

it("a process whose memory could not hold the conversations of a context seals them, and gates their pairs", async () => {
  const [units, kilobytes, memory] = [2400, 64, 80];
  const { deps, config } = await stageBench({
    script: play({}),
    settings: { converse: { conversations: units, nearDuplicates: { similarity: null } }, steer: { guidance: "judge" } },
  });
  const { home } = deps.env;
  const file = join(home, "seal.json");
  writeFileSync(file, JSON.stringify({ run, config, units, kilobytes }));
  const output = await runFixture("platform/seal-many.ts", [file], {
    ATTUNE_HOME: home,
    ATTUNE_STORE: "",
    NODE_OPTIONS: `--max-old-space-size=${memory}`,
  });
  const [sealed, gated] = JSON.parse(output) as [StageRecord, StageRecord];
  expect(sealed.counts).toEqual({ asked: units, done: units, dropped: 0, failed: 0 });
  expect(gated.counts).toMatchObject({ asked: units, done: units, pairsAsked: units, pairs: units });
  for (const ref of [sealed.outputs["conversations"], gated.outputs["pairs"]]) {
    expect(ref?.rows).toBe(units);
    expect(ref?.bytes).toBeGreaterThan(memory * 1024 * 1024 * 1.1);
  }
});
