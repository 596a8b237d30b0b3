import { randomUUID } from "node:crypto";
import { type Client, WorkflowUpdateFailedError } from "@temporalio/client";
import type { Progress } from "../../contract/experiment.ts";
import { messages, type RaiseBudget, type RetryUnits, type SetWidth } from "../../contract/messages.ts";
import { type UnitStage, unitStages } from "../../contract/stages.ts";
import type { Allowance } from "../../contract/units.ts";
import { CliError, exitCodes, usageError } from "../errors.ts";
import { commandOutput, type Output } from "../output.ts";
import { openProject, type Project, withStores } from "../project.ts";
import { withClient } from "../server/connect.ts";
import { findTarget, openNightText, type Target } from "../server/targets.ts";
import { awaitClose, endOf, look, type Snapshot } from "../server/watch.ts";
import { stuckText } from "../view/progress.ts";

interface Options {
  readonly json?: boolean;
}

interface Controlled {
  readonly client: Client;
  readonly project: Project;
  readonly target: Target;
  readonly snapshot: Snapshot;
  readonly output: Output;
}

/** `attune pause RUN` and `attune resume RUN`. */
export async function steerRun(what: "pause" | "resume", wanted: string, options: Options): Promise<void> {
  await onRun(wanted, options, async (run) => {
    await update(run, messages[what]);
    const { workflowId, name } = run.target;
    const text =
      what === "pause"
        ? `Paused ${workflowId}: nothing new starts, what runs ends. Go on: npx attune resume ${name}`
        : `${workflowId} goes on.`;
    run.output.result({ workflowId, done: what }, text);
  });
}

/** `attune budget raise RUN --calls N --usd X [--stage S]`: new caps in all; one that is not named stays. A run that is held for its budget goes on. */
export async function raiseBudget(
  wanted: string,
  { calls, usd, stage: named, ...options }: Options & { readonly calls?: string; readonly usd?: string; readonly stage?: string },
): Promise<void> {
  if (calls === undefined && usd === undefined) throw usageError("Give the new cap: --calls N, --usd X or both.");
  const stage = named === undefined ? undefined : stageNamed(named);
  await onRun(wanted, options, async (run) => {
    const { budget: whole, stageBudgets = [] } = await needProgress(run);
    // A stage without a cap is refused by the run.
    const budget = stage === undefined ? whole : (stageBudgets.find((of) => of.stage === stage)?.budget ?? noCap);
    const raised: RaiseBudget = {
      calls: calls === undefined ? budget.calls : number(calls, "--calls"),
      usd: usd === undefined ? budget.usd : number(usd, "--usd"),
      ...(stage === undefined ? {} : { stage }),
    };
    await update(run, messages.raiseBudget, raised);
    const { workflowId } = run.target;
    run.output.result(
      { workflowId, budget: raised },
      `${workflowId} may use ${raised.calls ?? "any number of"} calls and ${raised.usd === null ? "any cost" : `$${raised.usd}`} in all${stage === undefined ? "" : ` for ${stage}`}.`,
    );
  });
}

const noCap: Allowance = { calls: null, usd: null };

function stageNamed(name: string): UnitStage {
  const stage = unitStages.find((known) => known === name);
  if (stage === undefined) throw usageError(`--stage ${name}: stages with calls are ${unitStages.join(", ")}`);
  return stage;
}

/** `attune retry RUN --samples N`: each turn may ask that often; until a stage is sealed, units that gave up are tried again. */
export async function retryUnits(wanted: string, { samples, ...options }: Options & { readonly samples: string }): Promise<void> {
  await onRun(wanted, options, async (run) => {
    const raised: RetryUnits = { sampleLimit: number(samples, "--samples") };
    await update(run, messages.retryUnits, raised);
    const { workflowId } = run.target;
    run.output.result({ workflowId, ...raised }, `${workflowId} may take ${raised.sampleLimit} samples a turn.`);
  });
}

/** `attune window RUN N`: conversations that each batch of an open run keeps open. */
export async function setWindow(wanted: string, conversations: string, options: Options): Promise<void> {
  await onRun(wanted, options, async (run) => {
    const set: SetWidth = { window: number(conversations, "The window") };
    await update(run, messages.setWidth, set);
    const { workflowId } = run.target;
    const text = `${workflowId} keeps ${set.window} conversations open per batch. Calls in flight are limited apart: npx attune width`;
    run.output.result({ workflowId, ...set }, text);
  });
}

/** `attune cancel RUN`: what is open ends in order; recorded calls and finished pieces stay. */
export async function cancel(wanted: string, { wait, ...options }: Options & { readonly wait: boolean }): Promise<void> {
  await onRun(wanted, options, async (run) => {
    const { client, project, target, snapshot, output } = run;
    const { workflowId } = target;
    // The server takes a cancel of a closed run without a word.
    if (snapshot.status !== "RUNNING") throw await notOpen(run, "there is nothing to cancel");
    await client.workflow.getHandle(workflowId).cancel();
    if (wait) output.say(`Cancelling ${workflowId} …`);
    const last = wait ? await awaitClose(client, workflowId, project.queues) : snapshot;
    const text = last.status === "RUNNING" ? sentText(run.target, last, wait) : await closedText(run, last);
    output.result({ workflowId, done: "cancel", status: last.status }, text);
  });
}

function sentText({ workflowId, name }: Target, { stuck }: Snapshot, waited: boolean): string {
  const sent = `The cancel of ${workflowId} was sent`;
  if (stuck !== null) return `${sent}; it takes effect once its workflow code runs again. ${stuckText(stuck)}`;
  return waited
    ? `${sent}; no control worker answers, so it takes effect once the workers are up: npx attune dev`
    : `${sent}. See whether it has ended: npx attune status ${name}`;
}

/** What the cancelled run came to: it may have ended in another way before the cancel reached it. */
async function closedText({ client, target: { workflowId, kind } }: Controlled, { status }: Snapshot): Promise<string> {
  if (status === "CANCELLED") {
    return kind === "night"
      ? `Cancelled ${workflowId}; its recorded calls stay.`
      : `Cancelled ${workflowId}. The same \`npx attune run\` goes on from what is finished.`;
  }
  const end = await endOf(client, workflowId);
  return `${workflowId} was not cancelled: it ${word(status)} first${"failure" in end ? `: ${end.failure.text}` : "."}`;
}

async function onRun(wanted: string, options: Options, work: (run: Controlled) => Promise<void>): Promise<void> {
  const project = await openProject();
  await withClient(project, (client) =>
    withStores(project, async ({ records }) => {
      const target = await findTarget(client, records, wanted);
      const snapshot = await look(client, target.workflowId, project.queues);
      await work({ client, project, target, snapshot, output: commandOutput(options) });
    }),
  );
}

/** An update is answered by the run's workflow: the run must be open and a control worker up. */
async function update(run: Controlled, name: string, input?: RaiseBudget | RetryUnits | SetWidth): Promise<void> {
  await needProgress(run);
  const { workflowId } = run.target;
  try {
    const handle = run.client.workflow.getHandle(workflowId);
    const updateId = randomUUID();
    if (input === undefined) await handle.executeUpdate<void, []>(name, { updateId });
    else await handle.executeUpdate<void, [RaiseBudget | RetryUnits | SetWidth]>(name, { updateId, args: [input] });
  } catch (error) {
    if (refusedByServer(error))
      throw new CliError(
        exitCodes.failed,
        `${workflowId} takes no more orders: ${error.cause.details}. Cancel it (npx attune cancel ${run.target.name}) and run the same command again; what is done is kept.`,
      );
    if (!(error instanceof WorkflowUpdateFailedError)) throw error;
    throw new CliError(exitCodes.failed, `${workflowId} refused: ${error.cause?.message ?? error.message}`);
  }
}

/** The server bounds the orders that one run may take in all. */
function refusedByServer(error: unknown): error is Error & { readonly cause: { readonly details: string } } {
  const cause =
    error instanceof Error ? (error.cause as { readonly code?: unknown; readonly details?: unknown } | undefined) : undefined;
  return cause?.code === failedPrecondition && typeof cause.details === "string";
}

/** gRPC's FAILED_PRECONDITION. */
const failedPrecondition = 9;

/** @throws CliError when the run is closed (exit 1) or nobody answers for it (exit 3) */
async function needProgress(run: Controlled): Promise<Progress> {
  const {
    snapshot: { status, progress, stuck, waitingQueues },
    target: { workflowId },
    project: { queues },
  } = run;
  if (status !== "RUNNING") throw await notOpen(run);
  if (progress !== null) return progress;
  const why =
    stuck !== null
      ? stuckText(stuck)
      : waitingQueues.includes(queues.control)
        ? "No worker polls its control queue. Start the workers with `npx attune dev`."
        : "Its control worker is busy, starting or gone: try again, and if it stays so, restart the workers (`npx attune dev`).";
  throw new CliError(exitCodes.precheck, `Nothing answers for ${workflowId}. ${why}`);
}

/** A night of the same experiment may be what the person means. */
async function notOpen({ client, target, snapshot: { status } }: Controlled, so?: string): Promise<CliError> {
  const night = target.kind === "run" ? await openNightText(client, target.known.run.name) : "";
  const text = `${target.workflowId} is not open (${word(status)})${so === undefined ? "" : `: ${so}`}.`;
  return new CliError(exitCodes.failed, night === "" ? text : `${text} ${night}`);
}

const word = (status: string) => status.toLowerCase().replace("_", " ");

function number(text: string, flag: string): number {
  const value = Number(text);
  if (text.trim() === "" || !Number.isFinite(value) || value <= 0) throw usageError(`${flag} is ${text}; give a number above 0.`);
  return value;
}
