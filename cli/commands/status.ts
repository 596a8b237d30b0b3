import type { Client } from "@temporalio/client";
import type { NightlyResult } from "../../contract/experiment.ts";
import type { RunRef } from "../../contract/units.ts";
import { noSpend } from "../../domain/spend.ts";
import { answeredSoFar, answeredText } from "../cache/answered.ts";
import { exitCodes } from "../errors.ts";
import { followNight, verdictExit, verdictText } from "../follow-night.ts";
import { followRun, leftRunning } from "../follow.ts";
import { commandOutput, type Output } from "../output.ts";
import { openProject, type OpenStores, type Project, withOpenStores } from "../project.ts";
import { withClient } from "../server/connect.ts";
import { readPieces } from "../server/pieces.ts";
import { limitsSet, providersNow, providersText } from "../server/providers.ts";
import { retriesNow, retriesText } from "../server/retries.ts";
import { findTarget, openNightText, type Target } from "../server/targets.ts";
import { endOf, look, type Snapshot } from "../server/watch.ts";
import { type Failure, failureExit } from "../view/failure.ts";
import { uiLink } from "../view/links.ts";
import { progressText } from "../view/progress.ts";

interface Asked {
  readonly client: Client;
  readonly project: Project;
  readonly stores: OpenStores;
  readonly output: Output;
}

/** `attune status RUN`: where an open run or night is; a closed run by its stage records. Exit code 4 when it is held, else by how it ended. */
export async function status(wanted: string, options: { readonly json?: boolean; readonly follow?: boolean }): Promise<void> {
  const output = commandOutput(options);
  const project = await openProject();
  process.exitCode = await withClient(project, (client) =>
    withOpenStores(project, async (stores) => {
      const asked = { client, project, stores, output };
      const target = await findTarget(client, stores.records, wanted);
      if (target.kind === "run")
        return options.follow === true ? followRun({ ...asked, run: target.known.run }) : runStatus(asked, target);
      const { workflowId } = target;
      if (options.follow !== true) return nightStatus(asked, workflowId);
      const record = { event: "done", workflowId };
      return followNight({ client, project, output, workflowId, record, leaving: leftRunning(workflowId) });
    }),
  );
}

async function runStatus({ client, project, stores, output }: Asked, target: Target & { kind: "run" }): Promise<number> {
  const {
    workflowId,
    name,
    known: { run, plan, rehearsal },
  } = target;
  const snapshot = await exactly(await look(client, workflowId, project.queues), stores, run);
  const failure = hasFailed(snapshot) ? await failureOf(client, workflowId) : null;
  const pieces = (await readPieces(stores, run, plan, { verify: false })).map(({ key, whole }) => ({ key, done: whole }));
  const done = pieces.filter((piece) => piece.done).length;
  const providers = snapshot.status === "RUNNING" ? await providersNow(stores.records, Date.now()) : [];
  const limits = snapshot.status === "RUNNING" ? await limitsSet(stores.records) : [];
  const retries = snapshot.status === "RUNNING" ? await retriesNow(client, workflowId) : [];
  // A finished run's report says it.
  const answered = snapshot.status === "COMPLETED" ? [] : await answeredSoFar(stores, run);
  const ui = uiLink(project, workflowId);
  const lines = [
    `${workflowId}: ${statusWord(snapshot.status)}${rehearsal ? " (rehearsal: not evidence)" : ""}`,
    whyText(failure),
    `${done} of ${pieces.length} pieces are done.`,
    progressText(snapshot, { name, now: new Date() }),
    retriesText(retries),
    providersText(providers, limits),
    answeredText(answered),
    ...(snapshot.status === "RUNNING" ? [] : [...closedLines(pieces), await openNightText(client, run.name)]),
    ui ?? "",
  ];
  output.result(
    {
      workflowId,
      ...snapshot,
      error: failure?.text ?? null,
      digest: run.digest,
      rehearsal,
      pieces,
      providers,
      limits,
      retries,
      answered,
      ui,
    },
    lines.filter((line) => line !== "").join("\n"),
  );
  return exitOf(snapshot, failure);
}

/** With what the call records say was spent: between two readings a run only knows what its conversations have reported. */
async function exactly(snapshot: Snapshot, { openCalls }: OpenStores, { digest }: RunRef): Promise<Snapshot> {
  if (snapshot.progress === null) return snapshot;
  const calls = openCalls();
  try {
    const { progress } = snapshot;
    const byStage = progress.stageBudgets === undefined ? {} : await calls.spendByStage(digest);
    const stageBudgets = progress.stageBudgets?.map((of) => ({ ...of, spend: byStage[of.stage] ?? noSpend }));
    return {
      ...snapshot,
      progress: { ...progress, spend: await calls.spend(digest), ...(stageBudgets === undefined ? {} : { stageBudgets }) },
    };
  } finally {
    await calls.close();
  }
}

/** A night has no stage records: it shows its own progress, and when it has ended its verdict or why it has none. */
async function nightStatus({ client, project, output }: Asked, workflowId: string): Promise<number> {
  const snapshot = await look(client, workflowId, project.queues);
  const end = snapshot.status === "RUNNING" ? null : await endOf<NightlyResult>(client, workflowId);
  const failure = end !== null && "failure" in end ? end.failure : null;
  const result = end !== null && "result" in end ? end.result : null;
  const retries = snapshot.status === "RUNNING" ? await retriesNow(client, workflowId) : [];
  const ui = uiLink(project, workflowId);
  const lines = [
    `${workflowId}: ${statusWord(snapshot.status)}`,
    whyText(failure),
    result === null ? "" : verdictText(result),
    progressText(snapshot, { name: workflowId, now: new Date() }),
    retriesText(retries),
    ui ?? "",
  ];
  output.result(
    { workflowId, ...snapshot, error: failure?.text ?? null, result, retries, ui },
    lines.filter((line) => line !== "").join("\n"),
  );
  return result === null ? exitOf(snapshot, failure) : verdictExit(result);
}

function hasFailed({ status }: Snapshot): boolean {
  return status === "FAILED" || status === "CANCELLED" || status === "TERMINATED" || status === "TIMED_OUT";
}

async function failureOf(client: Client, workflowId: string): Promise<Failure | null> {
  const end = await endOf(client, workflowId);
  return "failure" in end ? end.failure : null;
}

/** A cancel has no reason of its own. */
function whyText(failure: Failure | null): string {
  return failure === null || failure.cancelled ? "" : `Why: ${failure.text}`;
}

function exitOf({ progress }: Snapshot, failure: Failure | null): number {
  if (failure !== null) return failureExit(failure);
  return progress?.state === "held" ? exitCodes.held : exitCodes.done;
}

function statusWord(status: string): string {
  return status === "UNKNOWN"
    ? "not known to this server (its database may be another one)"
    : status.toLowerCase().replace("_", " ");
}

function closedLines(pieces: readonly { readonly key: string; readonly done: boolean }[]): readonly string[] {
  const missing = pieces.filter((piece) => !piece.done).map(({ key }) => key);
  return missing.length === 0 ? [] : [`Not there: ${missing.join(", ")}. The same \`npx attune run\` makes only these.`];
}
