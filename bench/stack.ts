import { Client, Connection } from "@temporalio/client";
import { statSync } from "node:fs";
import { join } from "node:path";
import { attuneIn } from "../test/support/attune.ts";
import { type Asked, readAsked } from "./measure.ts";

type Settings = Readonly<Record<string, string | number>>;

/** A stack of its own whose teacher answers after so many milliseconds. */
export interface BenchStack {
  readonly home: string;
  readonly log: string;
  readonly rehearsalUrl: string;
  /** Processes by role: control, llm, temporal, … */
  readonly children: Readonly<Record<string, { readonly pid: number }>>;
  /** Writes conversations of one context by `attune run --until converse`; answers what was asked of the teacher for it. */
  readonly converse: (name: string, settings: Settings) => Promise<Asked>;
  /** Events and bytes of the history of each workflow whose id begins so. */
  readonly histories: (prefix: string) => Promise<readonly { readonly events: number; readonly bytes: number }[]>;
}

export async function withStack<T>(latency: number, work: (stack: BenchStack) => Promise<T>): Promise<T> {
  const stack = attuneIn("bench", { ATTUNE_REHEARSAL_ARGS: `--latency-ms ${latency}` });
  const endDev = await stack.startDev();
  try {
    const { rehearsalUrl, temporalAddress, children } = stack.devFile();
    const log = join(stack.home, "rehearsal.jsonl");
    const converse = async (name: string, settings: Settings) => {
      const from = statSync(log).size;
      const all = { name, contexts: '["distress"]', "evaluate.arms": '["baseline","adapter"]', ...settings };
      const sets = Object.entries(all).flatMap(([key, value]) => ["--set", `${key}=${value}`]);
      const ended = await stack.attune("run", "configs/experiments/quickstart.yaml", "--until", "converse", ...sets, "--json");
      if (ended.exitCode !== 0) throw new Error(`${ended.stdout}\n${ended.stderr}`);
      return readAsked(log, from);
    };
    return await work({
      home: stack.home,
      log,
      rehearsalUrl,
      children,
      converse,
      histories: (prefix) => historiesOf(temporalAddress, prefix),
    });
  } finally {
    await endDev();
    stack.remove();
  }
}

async function historiesOf(address: string, prefix: string) {
  const connection = await Connection.connect({ address });
  try {
    const client = new Client({ connection });
    const found = [];
    for await (const { workflowId } of client.workflow.list({ query: `WorkflowId STARTS_WITH '${prefix}'` })) {
      const { raw } = await client.workflow.getHandle(workflowId).describe();
      found.push({
        events: Number(raw.workflowExecutionInfo?.historyLength ?? 0),
        bytes: Number(raw.workflowExecutionInfo?.historySizeBytes ?? 0),
      });
    }
    return found;
  } finally {
    await connection.close();
  }
}
