/**
 * `node bench/engine.ts [--conversations 200] [--turns 8] [--width 64] [--latency 200,20]`: the conversation engine against a bare loop and the ideal,
 * in one run: same teacher, same machine, same Node. Times are from the first call to the last, by the teacher's log; start-up is left out.
 */
import { execa } from "execa";
import { statSync } from "node:fs";
import { join } from "node:path";
import { parseArgs } from "node:util";
import { fileIn, fileSystemOf, readAsked, usedBy } from "./measure.ts";
import { type BenchStack, withStack } from "./stack.ts";

const { values } = parseArgs({
  options: {
    conversations: { type: "string", default: "200" },
    turns: { type: "string", default: "8" },
    width: { type: "string", default: "64" },
    latency: { type: "string", default: "200,20" },
  },
});
const conversations = Number(values.conversations);
const width = Number(values.width);

for (const latency of values.latency.split(",").map(Number)) await withStack(latency, (stack) => compare(latency, stack));

async function compare(latency: number, { home, log, rehearsalUrl, children, converse, histories }: BenchStack): Promise<void> {
  const run = (name: string, seed: number, count: number) =>
    converse(name, {
      seed,
      "converse.conversations": count,
      "converse.turns": values.turns,
      "providers.rehearsal.width": width,
      // As many conversations open as the bare loop has: their tails overlap, so that the width stays full.
      "batch.window": Math.min(400, conversations),
    });
  // People of another seed: nothing that is measured may be recorded by then.
  await run("warm", 99, Math.min(100, conversations));
  const roles = ["control", "llm", "temporal"] as const;
  const processes = roles.map((role) => ({ role, pid: children[role]?.pid ?? 0 }));
  const before = processes.map(({ pid }) => usedBy(pid));
  const attune = await run("bench", 11, conversations);
  const used = processes.map(({ role, pid }, i) => {
    const { cpu, peak } = usedBy(pid);
    return `  ${role.padEnd(8)} ${(cpu - (before[i]?.cpu ?? 0)).toFixed(1)} CPU s, at most ${peak.toFixed(0)} MB`;
  });
  const config = fileIn(join(home, "artifacts", "runs", "bench"), /config-[0-9a-f]{8}\.json$/);
  const from = statSync(log).size;
  const loop = join(import.meta.dirname, "bare-loop.ts");
  await execa(process.execPath, [loop, config, rehearsalUrl, String(conversations), String(width)]);
  const bare = readAsked(log, from);

  const ideal = (attune.requests * latency) / 1000 / width;
  const bareIdeal = (bare.requests * latency) / 1000 / width;
  const shards = await histories("exp/bench/");
  const sum = (of: (history: (typeof shards)[number]) => number) => shards.reduce((all, history) => all + of(history), 0);
  process.stdout.write(
    [
      `\n${conversations} conversations × ${attune.requests / conversations} calls, ${width} wide, ${latency} ms; data on ${fileSystemOf(home)}`,
      `  ideal (calls × latency / width)      ${ideal.toFixed(2)} s`,
      `  Attune, every call recorded          ${attune.seconds.toFixed(2)} s   ${(attune.seconds / ideal).toFixed(2)} × the ideal, ${((attune.meanInFlight / width) * 100).toFixed(0)} % of the width in flight`,
      `  bare loop, nothing recorded          ${bare.seconds.toFixed(2)} s   ${(bare.seconds / bareIdeal).toFixed(2)} × its ideal (${bare.requests} calls)`,
      `  Attune / bare loop, by the ideal of each   ${(attune.seconds / ideal / (bare.seconds / bareIdeal)).toFixed(2)}`,
      ...used,
      `  history: ${(sum(({ events }) => events) / conversations).toFixed(1)} events, ${(sum(({ bytes }) => bytes) / conversations / 1000).toFixed(2)} kB a conversation`,
      "",
    ].join("\n"),
  );
}
