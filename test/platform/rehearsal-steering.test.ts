import { spawn } from "node:child_process";
import { expect, onTestFinished, test } from "vitest";
import { makeConverseActivities } from "../../activities/converse/converse.ts";
import { makeMeasureActivities } from "../../activities/measure/measure.ts";
import { makeSteerActivities } from "../../activities/steer/pairs.ts";
import { makeSteerUnit } from "../../activities/steer/steer.ts";
import type { Ref } from "../../contract/ref.ts";
import { attempt, play, run, stageBench, unitInput } from "../support/stage-bench.ts";

const units = Array.from({ length: 8 }, (_, unit) => unit);

/** The offline teacher as a process of its own, as the dev stack starts it. */
async function rehearsal(): Promise<string> {
  const child = spawn(process.execPath, ["rehearsal/main.ts"], { stdio: ["ignore", "pipe", "inherit"] });
  onTestFinished(() => void child.kill());
  const line = await new Promise<string>((resolve) => child.stdout.once("data", (data: Buffer) => resolve(data.toString())));
  return (JSON.parse(line) as { url: string }).url;
}

/** The prompts are what the rehearsal plays from: nobody else tells it a role, a level or a situation. */
test("the rehearsal plays every role from the shipped prompts: pairs of all contexts lie about their targets", async () => {
  const model = { provider: "rehearsal", model: "rehearsal" };
  const { deps, config } = await stageBench({
    script: play({}),
    settings: {
      seed: 11,
      providers: { rehearsal: { baseUrl: await rehearsal(), rehearsal: true } },
      models: { teacher: model, simulatedUser: model, judge: { ...model, temperature: 0 } },
      converse: { conversations: units.length, turns: 3 },
      steer: { guidance: "judge", minPairs: 8 },
    },
  });
  await makeMeasureActivities(deps).measure({ run });
  const { converse, sealConversations } = makeConverseActivities(deps);
  const { steer } = makeSteerUnit(deps);
  for (const context of config.experiment.contexts) {
    const written = await Promise.all(units.map((unit) => attempt(converse, unitInput({ stage: "converse", context }, unit))));
    expect(written.filter(({ status }) => status === "done").length).toBeGreaterThanOrEqual(7);
    const conversations = (await sealConversations({ run, context })).outputs["conversations"] as Ref;
    const count = conversations.rows ?? 0;
    await Promise.all(
      units
        .slice(0, count)
        .map((unit) => attempt(steer, unitInput({ stage: "steer", context }, unit, { inputs: { conversations } }))),
    );
    const { outputs, facts } = await makeSteerActivities(deps).gatePairs({ run, context, scores: null });
    const chosen: number[] = [];
    for await (const pair of deps.artifacts.readLines(outputs["pairs"] as Ref))
      chosen.push((pair as { judge: { chosen: number } }).judge.chosen);
    const mean = chosen.reduce((sum, level) => sum + level, 0) / chosen.length;
    expect(
      Math.abs(mean - Number(facts["target"])),
      `${context}: chosen replies are judged ${mean.toFixed(2)}, target ${facts["target"]}`,
    ).toBeLessThan(0.2);
  }
});
