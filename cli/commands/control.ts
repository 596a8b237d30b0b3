import { randomUUID } from "node:crypto";
import { WorkflowUpdateFailedError } from "@temporalio/client";
import { messages } from "../../contract/messages.ts";
import { CliError, exitCodes } from "../errors.ts";
import { commandOutput } from "../output.ts";
import { openProject, withStores } from "../project.ts";
import { withClient } from "../server/connect.ts";
import { findRun } from "../server/runs.ts";
import { look } from "../server/watch.ts";

interface Options {
  readonly json?: boolean;
}

/** `attune pause RUN` and `attune resume RUN`: answered by the run's workflow, so a control worker must be up. */
export async function steerRun(what: "pause" | "resume", wanted: string, options: Options): Promise<void> {
  const project = await openProject();
  await withClient(project, (client) =>
    withStores(project, async ({ records }) => {
      const { workflowId, run } = await findRun(records, wanted);
      needOpen(await look(client, workflowId, project.queues), workflowId, project.queues.control);
      try {
        await client.workflow.getHandle(workflowId).executeUpdate(messages[what], { updateId: randomUUID(), args: [] });
      } catch (error) {
        if (error instanceof WorkflowUpdateFailedError)
          throw new CliError(exitCodes.failed, `${workflowId} refused to ${what}: ${error.cause?.message ?? error.message}`);
        throw error;
      }
      const text =
        what === "pause"
          ? `Paused ${workflowId}: nothing new starts, what runs ends. Go on: npx attune resume ${run.name}`
          : `${workflowId} goes on.`;
      commandOutput(options).result({ workflowId, done: what }, text);
    }),
  );
}

/** `attune cancel RUN`: what is open ends in order; recorded calls and finished pieces stay. */
export async function cancel(wanted: string, options: Options & { readonly wait?: boolean }): Promise<void> {
  const project = await openProject();
  const output = commandOutput(options);
  await withClient(project, (client) =>
    withStores(project, async ({ records }) => {
      const { workflowId } = await findRun(records, wanted);
      // The server takes a cancel of a closed run without a word.
      const { status } = await look(client, workflowId, project.queues);
      if (status !== "RUNNING")
        throw new CliError(exitCodes.failed, `${workflowId} is not open (${status.toLowerCase()}): there is nothing to cancel.`);
      const handle = client.workflow.getHandle(workflowId);
      await handle.cancel();
      if (options.wait !== false) {
        output.say(`Cancelling ${workflowId} …`);
        await handle.result().catch(() => undefined);
      }
      output.result(
        { workflowId, done: "cancel" },
        `Cancelled ${workflowId}. The same \`npx attune run\` goes on from what is finished.`,
      );
    }),
  );
}

function needOpen({ status, waitingQueues }: Awaited<ReturnType<typeof look>>, workflowId: string, control: string): void {
  if (status !== "RUNNING") throw new CliError(exitCodes.failed, `${workflowId} is not open (${status.toLowerCase()}).`);
  if (waitingQueues.includes(control))
    throw new CliError(
      exitCodes.precheck,
      `No worker polls ${control}, so nobody can answer for ${workflowId}. Start the workers with \`npx attune dev\`.`,
    );
}
