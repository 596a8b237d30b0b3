import type { Client, WorkflowExecutionInfo } from "@temporalio/client";
import { experimentWorkflowId } from "../../contract/places.ts";
import { searchAttributes } from "../../contract/search-attributes.ts";
import { commandOutput } from "../output.ts";
import { openProject, type Stores, withStores } from "../project.ts";
import { withClient } from "../server/connect.ts";
import { workflowTypes } from "../server/launch.ts";
import { readPieces } from "../server/pieces.ts";
import { knownRuns, type KnownRun } from "../server/runs.ts";
import { table } from "../view/table.ts";

/** Nights that have ended are shown back to so many. */
const closedNights = 5;

interface ServerRun {
  readonly status: string;
  readonly stage: string | null;
  readonly hold: string | null;
  readonly done: number | null;
  readonly total: number | null;
  readonly costUsd: number | null;
  readonly gapReduction: number | null;
  readonly stuck: boolean;
  readonly startedAt: Date;
}

/** `attune ls`: runs of this data directory and of the server, newest first, then open nights and the last closed ones. Works without a server, which it says. */
export async function ls(options: { readonly json?: boolean }): Promise<void> {
  const output = commandOutput(options);
  const project = await openProject();
  const server = await withClient(project, serverRuns).catch((error: unknown) => {
    process.stderr.write(`attune: ${error instanceof Error ? error.message : String(error)} Shown from the records alone.\n`);
    return null;
  });
  await withStores(project, async (stores) => {
    const known = await knownRuns(stores.records);
    const runs = await Promise.all(
      known.map(async (run) => ({ ...(await local(stores, run)), server: server?.get(run.workflowId) ?? null })),
    );
    const here = new Set(known.map(({ run }) => experimentWorkflowId(run)));
    const elsewhere = [...(server ?? [])]
      .filter(([id]) => !here.has(id))
      .map(([workflowId, run]) => ({ workflowId, pieces: null, at: run.startedAt.toISOString(), server: run }));
    const all = [...runs, ...elsewhere];
    const rows = all.map(({ workflowId, pieces, at, server: seen }) => [
      workflowId,
      state(seen, server === null),
      seen?.stage ?? "",
      seen?.total == null ? "" : `${seen.done ?? 0}/${seen.total}`,
      pieces === null ? "" : `${pieces.done}/${pieces.total}`,
      seen?.gapReduction == null ? "" : `${(100 * seen.gapReduction).toFixed(0)} %`,
      at.replace(/\.\d+Z$/, "Z"),
    ]);
    output.result(
      all,
      all.length === 0
        ? "No runs yet. Start one: npx attune run configs/experiments/quickstart.yaml"
        : table([["run", "state", "stage", "units", "pieces", "gap closed", "launched"], ...rows], [0, 1, 2, 6]),
    );
  });
}

async function local(stores: Stores, { run, plan, workflowId, rehearsal, at }: KnownRun) {
  const pieces = await readPieces(stores, run, plan, { verify: false });
  return {
    workflowId,
    digest: run.digest,
    rehearsal,
    at,
    pieces: { done: pieces.filter(({ whole }) => whole).length, total: pieces.length },
  };
}

async function serverRuns(client: Client): Promise<Map<string, ServerRun>> {
  const found = new Map<string, ServerRun>();
  const add = async (query: string, most = Infinity) => {
    let added = 0;
    for await (const info of client.workflow.list({ query })) {
      // The newest execution of an id comes first.
      if (found.has(info.workflowId)) continue;
      found.set(info.workflowId, serverRun(info));
      if ((added += 1) >= most) return;
    }
  };
  const nights = `WorkflowType = "${workflowTypes.nightly}" AND ExecutionStatus`;
  await add(`WorkflowType = "${workflowTypes.experiment}"`);
  await add(`${nights} = "Running"`);
  await add(`${nights} != "Running"`, closedNights);
  return found;
}

function serverRun(info: WorkflowExecutionInfo): ServerRun {
  const value = (name: string): unknown => info.searchAttributes[name]?.[0];
  const text = (name: string) => (typeof value(name) === "string" ? String(value(name)) : null);
  const number = (name: string) => (typeof value(name) === "number" ? Number(value(name)) : null);
  const { stage, holdReason, done, total, cost, gapReduction } = searchAttributes;
  return {
    status: info.status.name,
    stage: text(stage.name),
    hold: text(holdReason.name),
    done: number(done.name),
    total: number(total.name),
    costUsd: number(cost.name),
    gapReduction: number(gapReduction.name),
    stuck: info.searchAttributes["TemporalReportedProblems"] !== undefined,
    startedAt: info.startTime,
  };
}

function state(run: ServerRun | null, unreachable: boolean): string {
  if (unreachable) return "no server";
  if (run === null) return "not on this server";
  if (run.status !== "RUNNING") return run.status.toLowerCase().replace("_", " ");
  if (run.stuck) return "stuck: its workflow code fails, see the worker's log";
  return run.hold === null || run.hold === "" || run.hold === "none" ? "running" : `held: ${run.hold}`;
}
