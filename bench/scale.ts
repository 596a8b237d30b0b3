/**
 * `node bench/scale.ts [--conversations 5000] [--turns 10] [--width 64] [--latency 5] [--window 160]`: many conversations over many shards, in one run on a stack of its
 * own: how full the width is from the first call to the last, the longest history, processor time, and the workers' memory quarter by quarter.
 */
import { parseArgs } from "node:util";
import { fileSystemOf, residentMb, usedBy } from "./measure.ts";
import { type BenchStack, withStack } from "./stack.ts";

const { values } = parseArgs({
  options: {
    conversations: { type: "string", default: "5000" },
    turns: { type: "string", default: "10" },
    width: { type: "string", default: "64" },
    latency: { type: "string", default: "5" },
    window: { type: "string", default: "160" },
  },
});
const conversations = Number(values.conversations);
const width = Number(values.width);
const latency = Number(values.latency);
const window = Number(values.window);
const watched = ["llm", "control"] as const;
const sampleMs = 500;

await withStack(latency, measure);

async function measure({ home, children, converse, histories }: BenchStack): Promise<void> {
  const run = (name: string, seed: number, count: number) =>
    converse(name, {
      seed,
      "converse.conversations": count,
      "converse.turns": values.turns,
      // The corpus is small: in talks this long people say things twice, which a real one would not.
      "converse.fidelity": "{nearCopy: false, thankLoop: false}",
      "providers.rehearsal.width": width,
      "batch.window": window,
    });
  // The start of the workers is left out: they have written other people's conversations by then.
  await run("warm", 99, Math.min(100, conversations));
  const samples = watched.map((): number[] => []);
  const timer = setInterval(() => {
    for (const [i, role] of watched.entries()) samples[i]?.push(residentMb(children[role]?.pid ?? 0));
  }, sampleMs);
  const cpuSoFar = () => Object.entries(children).map(([role, { pid }]) => ({ role, cpu: usedBy(pid).cpu }));
  const before = cpuSoFar();
  const asked = await run("scale", 11, conversations);
  clearInterval(timer);
  const cpu = cpuSoFar().map(({ role, cpu: after }, i) => `${role} ${(after - (before[i]?.cpu ?? 0)).toFixed(1)}`);
  const shards = await histories("exp/scale/");
  const events = shards.map((history) => history.events);
  const ideal = (asked.requests * latency) / 1000 / width;
  process.stdout.write(
    [
      `\n${conversations} conversations, ${asked.requests} calls (${(asked.requests / conversations).toFixed(1)} each), ${width} wide, ${window} open, ${latency} ms; data on ${fileSystemOf(home)}`,
      `  ${asked.seconds.toFixed(1)} s, ${(asked.seconds / ideal).toFixed(2)} × the ideal, ${(asked.requests / asked.seconds).toFixed(0)} calls/s, ${((asked.meanInFlight / width) * 100).toFixed(1)} % of the width in flight from the first call to the last`,
      `  ${shards.length} workflows; the longest history has ${Math.max(...events)} events; ${(events.reduce((a, b) => a + b, 0) / conversations).toFixed(1)} events and ${(shards.reduce((sum, { bytes }) => sum + bytes, 0) / conversations / 1000).toFixed(2)} kB a conversation`,
      `  CPU s: ${cpu.join(" · ")}`,
      ...watched.map((role, i) => `  ${role.padEnd(8)} ${quarters(samples[i] ?? [])}`),
      "",
    ].join("\n"),
  );
}

/** Mean resident memory by quarter of the time. */
function quarters(samples: readonly number[]): string {
  const size = samples.length / 4;
  const means = [0, 1, 2, 3].map((quarter) => {
    const part = samples.slice(Math.floor(quarter * size), Math.floor((quarter + 1) * size));
    return part.reduce((a, b) => a + b, 0) / Math.max(1, part.length);
  });
  const [, second = 0, , last = 0] = means;
  return `${means.map((mean) => mean.toFixed(0)).join(" · ")} MB by quarter; the last is ${((last / second - 1) * 100).toFixed(1)} % from the second`;
}
