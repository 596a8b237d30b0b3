/**
 * `node bench/engine.ts [--conversations 200] [--turns 8] [--width 64] [--latency 200,20] [--rounds 5]`: the conversation engine against a bare loop and
 * the ideal, in one run: same teacher, same machine, same Node, in turns. Times are from the first call to the last, by the teacher's log; start-up is
 * left out. Medians over the rounds, with the least and the most.
 */
import { execa } from "execa";
import { statSync } from "node:fs";
import { join } from "node:path";
import { parseArgs } from "node:util";
import { type Asked, fileIn, fileSystemOf, readAsked, usedBy } from "./measure.ts";
import { type BenchStack, withStack } from "./stack.ts";

const { values } = parseArgs({
  options: {
    conversations: { type: "string", default: "200" },
    turns: { type: "string", default: "8" },
    width: { type: "string", default: "64" },
    latency: { type: "string", default: "200,20" },
    rounds: { type: "string", default: "5" },
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
  /** One run of each, of people that nobody has met. */
  const round = async (n: number) => {
    const name = `bench-${n}`;
    const attune = await run(name, 10 + n, conversations);
    const config = fileIn(join(home, "artifacts", "runs", name), /config-[0-9a-f]{8}\.json$/);
    const from = statSync(log).size;
    const loop = join(import.meta.dirname, "bare-loop.ts");
    await execa(process.execPath, [loop, config, rehearsalUrl, String(conversations), String(width)]);
    const bare = readAsked(log, from);
    const ofIdeal = ({ requests, seconds }: Asked) => seconds / ((requests * latency) / 1000 / width);
    return { attune: ofIdeal(attune), bare: ofIdeal(bare), fill: attune.meanInFlight / width, calls: attune.requests };
  };
  // Nothing that is measured may be recorded by then.
  await run("warm", 99, Math.min(100, conversations));
  const roles = ["control", "llm", "temporal"] as const;
  const processes = roles.map((role) => ({ role, pid: children[role]?.pid ?? 0 }));
  const before = processes.map(({ pid }) => usedBy(pid));
  const rounds: Awaited<ReturnType<typeof round>>[] = [];
  for (let n = 1; n <= Number(values.rounds); n += 1) rounds.push(await round(n));
  const used = processes.map(({ role, pid }, i) => {
    const { cpu, peak } = usedBy(pid);
    return `  ${role.padEnd(8)} ${((cpu - (before[i]?.cpu ?? 0)) / rounds.length).toFixed(1)} CPU s a round, at most ${peak.toFixed(0)} MB`;
  });
  const shards = await histories("exp/bench-");
  const sum = (of: (history: (typeof shards)[number]) => number) => shards.reduce((all, history) => all + of(history), 0);
  const written = conversations * rounds.length;
  const calls = rounds.reduce((all, one) => all + one.calls, 0);
  const over = (of: (one: (typeof rounds)[number]) => number) => spread(rounds.map(of));
  process.stdout.write(
    [
      `\n${rounds.length} × ${conversations} conversations × ${(calls / written).toFixed(1)} calls, ${width} wide, ${latency} ms; data on ${fileSystemOf(home)}`,
      `  Attune, every call recorded          ${over(({ attune }) => attune)} × the ideal (calls × latency / width)`,
      `  bare loop, nothing recorded          ${over(({ bare }) => bare)} × its ideal`,
      `  Attune / bare loop, by the ideal of each   ${over(({ attune, bare }) => attune / bare)}`,
      `  share of the width in flight         ${over(({ fill }) => fill)}`,
      ...used,
      `  history: ${(sum(({ events }) => events) / written).toFixed(1)} events, ${(sum(({ bytes }) => bytes) / written / 1000).toFixed(2)} kB a conversation`,
      "",
    ].join("\n"),
  );
}

/** `1.06 (1.05–1.09)`: the median, the least and the most. */
function spread(numbers: readonly number[]): string {
  const sorted = numbers.toSorted((a, b) => a - b);
  const [least = 0, median = 0, most = 0] = [sorted[0], sorted[Math.floor((sorted.length - 1) / 2)], sorted.at(-1)];
  return `${median.toFixed(2)} (${least.toFixed(2)}–${most.toFixed(2)})`;
}
