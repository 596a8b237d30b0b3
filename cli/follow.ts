import type { Client } from "@temporalio/client";
import type { ExperimentResult, Progress } from "../contract/experiment.ts";
import { experimentWorkflowId } from "../contract/places.ts";
import type { RunRef } from "../contract/units.ts";
import { exitCodes } from "./errors.ts";
import type { Output } from "./output.ts";
import type { Project, Stores } from "./project.ts";
import { endOf, progressOf, type Snapshot, watch } from "./server/watch.ts";
import { finishedRun } from "./view/finished.ts";
import { failureExit } from "./view/failure.ts";
import { liveBlock } from "./view/live.ts";
import { changes, obstacleLines, phaseBudget, progressText } from "./view/progress.ts";
import { duration, table } from "./view/table.ts";

interface Following<T> {
  readonly client: Client;
  readonly project: Project;
  readonly output: Output;
  readonly workflowId: string;
  /** How commands name it. */
  readonly name: string;
  /** What its record for programs begins with. */
  readonly record: Readonly<Record<string, unknown>>;
  /** Said when Ctrl-C leaves it running; null: Ctrl-C ends the command as it ends any other. */
  readonly leaving: string | null;
  /** Its last words when it completed; answers the exit code. */
  readonly completed: (result: T) => Promise<number>;
}

const leavingSignals = ["SIGINT", "SIGTERM", "SIGHUP"] as const;
const terminalMs = 1000;
const plainMs = 3000;

/** Shows a workflow until it ends, is held, or Ctrl-C leaves it running. Answers the exit code. */
export async function follow<T>(following: Following<T>): Promise<number> {
  const { client, project, output, workflowId, name, record, leaving } = following;
  const detached = new AbortController();
  const detach = () => detached.abort();
  if (leaving !== null) for (const signal of leavingSignals) process.once(signal, detach);
  const show = output.json ? () => undefined : process.stdout.isTTY ? onTerminal(name) : asLines(output, name);
  const everyMs = process.stdout.isTTY && !output.json ? terminalMs : plainMs;
  let last: Snapshot | null = null;
  try {
    for await (const snapshot of watch(client, workflowId, project.queues, { everyMs, signal: detached.signal })) {
      show(snapshot);
      last = snapshot;
      if (snapshot.progress?.state === "held") {
        const { hold } = snapshot.progress;
        output.result({ ...record, state: "held", hold, exitCode: exitCodes.held }, "It is held and alive; nothing is lost.");
        return exitCodes.held;
      }
    }
  } finally {
    for (const signal of leavingSignals) process.removeListener(signal, detach);
  }
  if (detached.signal.aborted && last?.status === "RUNNING") {
    output.result({ ...record, state: "detached", exitCode: exitCodes.done }, `\n${leaving}`);
    return exitCodes.done;
  }
  return closed(following);
}

async function closed<T>({ client, output, workflowId, record, completed }: Following<T>): Promise<number> {
  const end = await endOf<T>(client, workflowId);
  if ("result" in end) return completed(end.result);
  const { text, cancelled } = end.failure;
  const exitCode = failureExit(end.failure);
  output.result({ ...record, state: cancelled ? "cancelled" : "failed", error: text, exitCode }, "");
  process.stderr.write(`attune: ${workflowId} ${cancelled ? "was cancelled" : "failed"}: ${text}\n`);
  return exitCode;
}

/** How to come back to what goes on. */
export function leftRunning(name: string): string {
  return `Left running. Attach again: npx attune status ${name} --follow   Cancel: npx attune cancel ${name}`;
}

type Followed = Pick<Following<unknown>, "client" | "project" | "output"> & {
  readonly stores: Stores;
  readonly run: RunRef;
  readonly leaving?: string;
};

/** Follows a run of an experiment. Answers the exit code. */
export function followRun({ stores, run, leaving, ...followed }: Followed): Promise<number> {
  const { client, output } = followed;
  const workflowId = experimentWorkflowId(run);
  return follow<ExperimentResult>({
    ...followed,
    workflowId,
    name: run.name,
    record: { event: "done", name: run.name, digest: run.digest },
    leaving: leaving ?? leftRunning(run.name),
    completed: async ({ outcome }) => {
      // Answered from its history, which is final now.
      const progress = await progressOf(client, workflowId);
      if (progress !== null && !output.json) output.say(phaseText(progress));
      return finishedRun({ run, stores, output, state: outcome === "finished" ? "complete" : "stopped-after-stage" });
    },
  });
}

function phaseText(progress: Progress): string {
  const phases = phaseBudget(progress);
  if (phases.length === 0) return "";
  return `\nTime by stage (they overlap):\n${table(phases.map(({ stage, seconds }) => [`  ${stage}`, duration(seconds)]))}`;
}

function onTerminal(name: string): (snapshot: Snapshot) => void {
  const block = liveBlock(process.stdout);
  return (snapshot) => {
    const text = progressText(snapshot, { name, now: new Date() });
    if (text !== "") block.draw(text);
  };
}

function asLines(output: Output, name: string): (snapshot: Snapshot) => void {
  let before: Progress | null = null;
  let obstacles = "";
  return ({ progress, ...rest }) => {
    const now = obstacleLines(rest).join("\n");
    if (now !== obstacles && now !== "") output.say(now);
    obstacles = now;
    if (progress === null) return;
    for (const line of changes(before, progress, name)) output.say(line);
    before = progress;
  };
}
