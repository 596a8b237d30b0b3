import { spawn } from "node:child_process";
import { test, onTestFinished } from "vitest";
import { attempt, run, stageBench, unitInput } from "../../support/stage-bench.ts";
import { makeMeasureActivities } from "../../../activities/measure/measure.ts";
import { makeConverseActivities } from "../../../activities/converse/converse.ts";
import { makeSteerUnit } from "../../../activities/steer/steer.ts";
import { makeSteerActivities } from "../../../activities/steer/pairs.ts";
test("rehearse", async () => {
  const child = spawn(process.execPath, ["rehearsal/main.ts"], { stdio: ["ignore", "pipe", "inherit"] });
  onTestFinished(() => void child.kill());
  const line = await new Promise<string>((r) => child.stdout.once("data", (d) => r(String(d))));
  const { url } = JSON.parse(line);
  const { deps, config } = await stageBench({ script: () => ({ text: "" }), settings: { seed: 11, models: { teacher: { provider: "scripted", model: "rehearsal" }, simulatedUser: { provider: "scripted", model: "rehearsal" }, judge: { provider: "scripted", model: "rehearsal", temperature: 0 } }, providers: { scripted: { baseUrl: url, rehearsal: true } }, converse: { conversations: 24, turns: 4 }, steer: { guidance: "judge" } } });
  const m = await makeMeasureActivities(deps).measure({ run });
  console.log(m.facts, m.counts);
  const conv = makeConverseActivities(deps);
  const steer = makeSteerUnit(deps);
  for (const context of config.experiment.contexts) {
    const t = Date.now();
    const out = await Promise.all(Array.from({ length: 24 }, (_, i) => attempt(conv.converse, unitInput({ stage: "converse", context }, i, {sampleLimit: 4}))));
    console.log(context, Date.now() - t, "ms");
    const sealed = await attempt(conv.sealConversations, { run, context });
    console.log(sealed.counts, sealed.facts);
    const c = sealed.outputs["conversations"]!;
    const so = await Promise.all(Array.from({ length: c.rows! }, (_, i) => attempt(steer.steer, unitInput({ stage: "steer", context }, i, { inputs: { conversations: c } }))));
    const gate = await attempt(makeSteerActivities(deps).gatePairs, { run, context, scores: null }).catch((e) => (console.log(e.message), null));
    if (gate) {
      console.log(gate.counts, gate.facts);
      let n = 0;
      for await (const p of deps.artifacts.readLines(gate.outputs["pairs"]!)) if (n++ < 3) console.log(JSON.stringify(p, null, 1));
    }
    const rec = (await deps.records.list("unit/bench")).find((r) => r.key.includes("/steer/")); console.log(JSON.stringify(rec?.value).slice(0, 3000)); return;
  }
}, 120_000);
