import { randomUUID } from "node:crypto";
import { type Client, WorkflowUpdateFailedError } from "@temporalio/client";
import type { Progress } from "../../contract/experiment.ts";
import { messages, type RaiseBudget, type RetryUnits } from "../../contract/messages.ts";
import { CliError, exitCodes, usageError } from "../errors.ts";
import { commandOutput, type Output } from "../output.ts";
import { openProject, type Project, withStores } from "../project.ts";
import { withClient } from "../server/connect.ts";
import { findRun, type KnownRun } from "../server/runs.ts";
import { look, type Snapshot } from "../server/watch.ts";

interface Options {
  readonly json?: boolean;
}

interface Controlled {
  readonly client: Client;
  readonly known: KnownRun;
  readonly snapshot: Snapshot;
  readonly output: Output;
}

/** `attune pause RUN` and `attune resume RUN`. */
export async function steerRun(what: "pause" | "resume", wanted: string, options: Options): Promise<void> {
  await onRun(wanted, options, async (run) => {
    await update(run, messages[what]);
    const {
      workflowId,
      run: { name },
    } = run.known;
    const text =
      what === "pause"
        ? `Paused ${workflowId}: nothing new starts, what runs ends. Go on: npx attune resume ${name}`
        : `${workflowId} goes on.`;
    run.output.result({ workflowId, done: what }, text);
  });
}

/** `attune budget RUN --calls N --usd X`: new caps in all; one that is not named stays. A run that is held for its budget goes on. */
export async function raiseBudget(
  wanted: string,
  { calls, usd, ...options }: Options & { readonly calls?: string; readonly usd?: string },
): Promise<void> {
  if (calls === undefined && usd === undefined) throw usageError("Give the new cap: --calls N, --usd X or both.");
  await onRun(wanted, options, async (run) => {
    const { budget } = needProgress(run);
    const raised: RaiseBudget = {
      calls: calls === undefined ? budget.calls : number(calls, "--calls"),
      usd: usd === undefined ? budget.usd : number(usd, "--usd"),
    };
    await update(run, messages.raiseBudget, raised);
    const { workflowId } = run.known;
    run.output.result(
      { workflowId, budget: raised },
      `${workflowId} may use ${raised.calls ?? "any number of"} calls and ${raised.usd === null ? "any cost" : `$${raised.usd}`} in all.`,
    );
  });
}

/** `attune retry RUN --samples N`: each turn may ask that often; until a stage is sealed, units that gave up are tried again. */
export async function retryUnits(wanted: string, { samples, ...options }: Options & { readonly samples: string }): Promise<void> {
  await onRun(wanted, options, async (run) => {
    const raised: RetryUnits = { sampleLimit: number(samples, "--samples") };
    await update(run, messages.retryUnits, raised);
    const { workflowId } = run.known;
    run.output.result({ workflowId, ...raised }, `${workflowId} may take ${raised.sampleLimit} samples a turn.`);
  });
}

/** `attune cancel RUN`: what is open ends in order; recorded calls and finished pieces stay. */
export async function cancel(wanted: string, { wait, ...options }: Options & { readonly wait: boolean }): Promise<void> {
  await onRun(wanted, options, async ({ client, known: { workflowId }, snapshot: { status }, output }) => {
    // The server takes a cancel of a closed run without a word.
    if (status !== "RUNNING")
      throw new CliError(exitCodes.failed, `${workflowId} is not open (${status.toLowerCase()}): there is nothing to cancel.`);
    const handle = client.workflow.getHandle(workflowId);
    await handle.cancel();
    if (wait) {
      output.say(`Cancelling ${workflowId} …`);
      await handle.result().catch(() => undefined);
    }
    output.result(
      { workflowId, done: "cancel" },
      `Cancelled ${workflowId}. The same \`npx attune run\` goes on from what is finished.`,
    );
  });
}

async function onRun(wanted: string, options: Options, work: (run: Controlled) => Promise<void>): Promise<void> {
  const project: Project = await openProject();
  await withClient(project, (client) =>
    withStores(project, async ({ records }) => {
      const known = await findRun(records, wanted);
      const snapshot = await look(client, known.workflowId, project.queues);
      await work({ client, known, snapshot, output: commandOutput(options) });
    }),
  );
}

/** An update is answered by the run's workflow: the run must be open and a control worker up. */
async function update(run: Controlled, name: string, input?: RaiseBudget | RetryUnits): Promise<void> {
  needProgress(run);
  const { workflowId } = run.known;
  try {
    const handle = run.client.workflow.getHandle(workflowId);
    const updateId = randomUUID();
    if (input === undefined) await handle.executeUpdate<void, []>(name, { updateId });
    else await handle.executeUpdate<void, [RaiseBudget | RetryUnits]>(name, { updateId, args: [input] });
  } catch (error) {
    if (!(error instanceof WorkflowUpdateFailedError)) throw error;
    throw new CliError(exitCodes.failed, `${workflowId} refused: ${error.cause?.message ?? error.message}`);
  }
}

function needProgress({ snapshot: { status, progress }, known: { workflowId } }: Controlled): Progress {
  if (status !== "RUNNING") throw new CliError(exitCodes.failed, `${workflowId} is not open (${status.toLowerCase()}).`);
  if (progress !== null) return progress;
  throw new CliError(
    exitCodes.precheck,
    `No control worker answers for ${workflowId}. Start the workers with \`npx attune dev\`.`,
  );
}

function number(text: string, flag: string): number {
  const value = Number(text);
  if (text.trim() === "" || !Number.isFinite(value) || value <= 0) throw usageError(`${flag} is ${text}; give a number above 0.`);
  return value;
}
