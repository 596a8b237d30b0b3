/**
 * `node bench/engine.ts [--conversations 200] [--turns 8] [--width 64] [--latency 200,20]`: the conversation engine against a bare loop and the ideal,
 * in one run: same teacher, same machine, same Node. Times are from the first call to the last, by the teacher's log; start-up is left out.
 */
import { Client, Connection } from "@temporalio/client";
import { execa } from "execa";
import { statSync } from "node:fs";
import { join } from "node:path";
import { parseArgs } from "node:util";
import { attuneIn } from "../test/support/attune.ts";
import { fileIn, fileSystemOf, readAsked, usedBy } from "./measure.ts";

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

for (const latency of values.latency.split(",").map(Number)) await compare(latency);

async function compare(latency: number): Promise<void> {
  const stack = attuneIn("bench", { ATTUNE_REHEARSAL_ARGS: `--latency-ms ${latency}` });
  const endDev = await stack.startDev();
  try {
    const { rehearsalUrl, temporalAddress, children } = stack.devFile();
    const log = join(stack.home, "rehearsal.jsonl");
    const run = async (name: string, seed: number, count: number) => {
      const from = statSync(log).size;
      const settings = {
        name,
        seed,
        contexts: '["distress"]',
        "evaluate.arms": '["baseline","adapter"]',
        "converse.conversations": count,
        "converse.turns": values.turns,
        "providers.rehearsal.width": width,
        // As many conversations open as the bare loop has: their tails overlap, so that the width stays full.
        "batch.window": Math.min(400, conversations),
      };
      const sets = Object.entries(settings).flatMap(([key, value]) => ["--set", `${key}=${value}`]);
      const ended = await stack.attune("run", "configs/experiments/quickstart.yaml", "--until", "converse", ...sets, "--json");
      if (ended.exitCode !== 0) throw new Error(ended.stderr);
      return readAsked(log, from);
    };
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
    const config = fileIn(join(stack.home, "artifacts", "runs", "bench"), /config-[0-9a-f]{8}\.json$/);
    const from = statSync(log).size;
    await execa(process.execPath, [
      join(import.meta.dirname, "bare-loop.ts"),
      config,
      rehearsalUrl,
      String(conversations),
      String(width),
    ]);
    const bare = readAsked(log, from);

    const ideal = (attune.requests * latency) / 1000 / width;
    const bareIdeal = (bare.requests * latency) / 1000 / width;
    process.stdout.write(
      [
        `\n${conversations} conversations × ${attune.requests / conversations} calls, ${width} wide, ${latency} ms; data on ${fileSystemOf(stack.home)}`,
        `  ideal (calls × latency / width)      ${ideal.toFixed(2)} s`,
        `  Attune, every call recorded          ${attune.seconds.toFixed(2)} s   ${(attune.seconds / ideal).toFixed(2)} × the ideal, ${((attune.meanInFlight / width) * 100).toFixed(0)} % of the width in flight`,
        `  bare loop, nothing recorded          ${bare.seconds.toFixed(2)} s   ${(bare.seconds / bareIdeal).toFixed(2)} × its ideal (${bare.requests} calls)`,
        `  Attune / bare loop, by the ideal of each   ${(attune.seconds / ideal / (bare.seconds / bareIdeal)).toFixed(2)}`,
        ...used,
        `  ${await historyText(temporalAddress, conversations)}`,
        "",
      ].join("\n"),
    );
  } finally {
    await endDev();
    stack.remove();
  }
}

/** Events and bytes of all shards and batches of the measured run, by conversation. */
async function historyText(address: string, count: number): Promise<string> {
  const connection = await Connection.connect({ address });
  try {
    const client = new Client({ connection });
    let events = 0;
    let bytes = 0;
    for await (const { workflowId } of client.workflow.list({ query: "WorkflowId STARTS_WITH 'exp/bench/'" })) {
      const { raw } = await client.workflow.getHandle(workflowId).describe();
      events += Number(raw.workflowExecutionInfo?.historyLength ?? 0);
      bytes += Number(raw.workflowExecutionInfo?.historySizeBytes ?? 0);
    }
    return `history: ${(events / count).toFixed(1)} events, ${(bytes / count / 1000).toFixed(2)} kB a conversation`;
  } finally {
    await connection.close();
  }
}
