import { type Client, WorkflowFailedError } from "@temporalio/client";
import type { ExperimentResult, Progress } from "../contract/experiment.ts";
import { experimentWorkflowId } from "../contract/places.ts";
import type { RunRef } from "../contract/units.ts";
import { exitCodes } from "./errors.ts";
import type { Output } from "./output.ts";
import type { Project, Stores } from "./project.ts";
import { progressOf, type Snapshot, watch } from "./server/watch.ts";
import { finishedRun } from "./view/finished.ts";
import { failureText } from "./view/failure.ts";
import { liveBlock } from "./view/live.ts";
import { changes, phaseBudget, progressText } from "./view/progress.ts";
import { duration, table } from "./view/table.ts";

interface Followed {
  readonly client: Client;
  readonly project: Project;
  readonly stores: Stores;
  readonly run: RunRef;
  readonly output: Output;
  /** What Ctrl-C means, where the run does not simply go on without this command. */
  readonly leaving?: string;
}

const leavingSignals = ["SIGINT", "SIGTERM", "SIGHUP"] as const;
const terminalMs = 1000;
const plainMs = 3000;

/** Shows a run until it ends, is held, or Ctrl-C leaves it running. Answers the exit code. */
export async function followRun(followed: Followed): Promise<number> {
  const { client, project, run, output } = followed;
  const workflowId = experimentWorkflowId(run);
  const detached = new AbortController();
  const detach = () => detached.abort();
  for (const name of leavingSignals) process.once(name, detach);
  const show = output.json ? () => undefined : process.stdout.isTTY ? onTerminal(run.name) : asLines(output, run.name);
  const everyMs = process.stdout.isTTY && !output.json ? terminalMs : plainMs;
  let last: Snapshot | null = null;
  try {
    for await (const snapshot of watch(client, workflowId, project.queues, { everyMs, signal: detached.signal })) {
      show(snapshot);
      last = snapshot;
      if (snapshot.progress?.state === "held") return held(snapshot.progress, run, output);
    }
  } finally {
    for (const name of leavingSignals) process.removeListener(name, detach);
  }
  if (detached.signal.aborted && last?.status === "RUNNING") {
    output.result(
      { event: "done", name: run.name, digest: run.digest, state: "detached", exitCode: exitCodes.done },
      `\n${followed.leaving ?? `Left running. Attach again: npx attune status ${run.name} --follow   Cancel: npx attune cancel ${run.name}`}`,
    );
    return exitCodes.done;
  }
  return closed(followed, workflowId);
}

function held({ hold }: Progress, { name, digest }: RunRef, output: Output): number {
  output.result(
    { event: "done", name, digest, state: "held", hold, exitCode: exitCodes.held },
    `The run is held and alive; nothing is lost. Then: npx attune resume ${name}`,
  );
  return exitCodes.held;
}

/** A closed run's last words. The query is answered from its history, which is final now. */
async function closed({ client, stores, run, output }: Followed, workflowId: string): Promise<number> {
  try {
    const result = (await client.workflow.getHandle(workflowId).result()) as ExperimentResult;
    const progress = await progressOf(client, workflowId);
    if (progress !== null && !output.json) output.say(phaseText(progress));
    return await finishedRun({ run, stores, output, state: result.outcome === "finished" ? "complete" : "stopped-after-stage" });
  } catch (error) {
    if (!(error instanceof WorkflowFailedError)) throw error;
    const { text, cancelled } = failureText(error);
    const exitCode = cancelled ? exitCodes.cancelled : exitCodes.failed;
    const state = cancelled ? "cancelled" : "failed";
    output.result({ event: "done", name: run.name, digest: run.digest, state, error: text, exitCode }, "");
    process.stderr.write(`attune: ${workflowId} ${cancelled ? "was cancelled" : "failed"}: ${text}\n`);
    return exitCode;
  }
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
  let waiting = "";
  return ({ progress, waitingQueues }) => {
    const now = waitingQueues.join(", ");
    if (now !== waiting && now !== "") output.say(progressText({ progress: null, waitingQueues }, { name, now: new Date() }));
    waiting = now;
    if (progress === null) return;
    for (const line of changes(before, progress, name)) output.say(line);
    before = progress;
  };
}
