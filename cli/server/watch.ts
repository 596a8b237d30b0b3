import { setTimeout as sleep } from "node:timers/promises";
import {
  type Client,
  QueryNotRegisteredError,
  QueryRejectedError,
  WorkflowFailedError,
  WorkflowNotFoundError,
} from "@temporalio/client";
import { messages } from "../../contract/messages.ts";
import type { Progress } from "../../contract/experiment.ts";
import type { Queues } from "../../contract/queues.ts";
import { precheckError } from "../errors.ts";
import { queuesWithoutWorker } from "../../workers/dev/pollers.ts";
import { type Failure, failureText } from "../view/failure.ts";

type RunStatus = "RUNNING" | "COMPLETED" | "FAILED" | "CANCELLED" | "TERMINATED" | "TIMED_OUT" | "UNKNOWN";

/** A run as the server sees it now. */
export interface Snapshot {
  readonly status: RunStatus;
  /** null when no worker answered, or the run is closed: a closed run's own answer would be stale. */
  readonly progress: Progress | null;
  /** Queues that no worker polls, as far as that was asked. */
  readonly waitingQueues: readonly string[];
  /** What fails in its workflow code, so that it does not move; null when the server reports nothing. */
  readonly stuck: string | null;
  readonly startedAt: Date | null;
  readonly closedAt: Date | null;
}

const queryMs = 4000;
const closeMs = 500;
/** A worker that died is still listed as a poller for minutes: so long without an answer means that none is there. */
const silentMs = 20_000;

/** One look. A run that the server does not know is UNKNOWN. */
export async function look(client: Client, workflowId: string, queues: Queues): Promise<Snapshot> {
  const handle = client.workflow.getHandle(workflowId);
  const described = await handle.describe().catch((error: unknown) => {
    if (error instanceof WorkflowNotFoundError) return null;
    if (isLate(error))
      throw precheckError(`The Temporal server stopped answering. ${workflowId} goes on when it is back: npx attune dev`, error);
    throw error;
  });
  const still = { progress: null, waitingQueues: [], stuck: null };
  if (described === null) return { ...still, status: "UNKNOWN", startedAt: null, closedAt: null };
  const status = statusOf(described.status.name);
  const startedAt = described.startTime;
  const closedAt = described.closeTime ?? null;
  if (status !== "RUNNING") return { ...still, status, startedAt, closedAt };
  const waitingQueues = await queuesWithoutWorker({ connection: client.connection, namespace: client.options.namespace, queues });
  const progress = waitingQueues.includes(queues.control) ? null : await progressOf(client, workflowId);
  const stuck = stuckBy(described.searchAttributes["TemporalReportedProblems"]);
  return { status, progress, waitingQueues, stuck, startedAt, closedAt };
}

/** `["category=WorkflowTaskFailed", "cause=WorkflowTaskFailedCauseNonDeterministicError"]` → `NonDeterministicError`. */
function stuckBy(problems: unknown): string | null {
  if (!Array.isArray(problems) || problems.length === 0) return null;
  const causes = problems.map(String).filter((problem) => problem.startsWith("cause="));
  return causes.map((cause) => cause.replace(/^cause=(?:WorkflowTaskFailedCause)?/, "")).join(", ") || problems.join(", ");
}

/** The `progress` query; null when the run has closed or no worker answers in time. */
export async function progressOf(client: Client, workflowId: string): Promise<Progress | null> {
  try {
    return await client.connection.withDeadline(Date.now() + queryMs, () =>
      client.workflow.getHandle(workflowId).query<Progress>(messages.progress),
    );
  } catch (error) {
    if (error instanceof QueryRejectedError || error instanceof QueryNotRegisteredError || isLate(error)) return null;
    throw error;
  }
}

/** Looks again and again until the run has closed, is held, or `signal` says to leave it. */
export async function* watch(
  client: Client,
  workflowId: string,
  queues: Queues,
  { everyMs, signal }: { everyMs: number; signal: AbortSignal },
): AsyncGenerator<Snapshot> {
  while (!signal.aborted) {
    const snapshot = await look(client, workflowId, queues);
    yield snapshot;
    if (snapshot.status !== "RUNNING") return;
    await sleep(everyMs, undefined, { signal }).catch(() => undefined);
  }
}

/** Looks until it has closed; earlier when nothing can move it: no control worker answers, or its code fails. Answers the last look. */
export async function awaitClose(client: Client, workflowId: string, queues: Queues): Promise<Snapshot> {
  let answered = Date.now();
  for (; ; await sleep(closeMs)) {
    const snapshot = await look(client, workflowId, queues);
    if (snapshot.progress !== null) answered = Date.now();
    const dead = snapshot.stuck !== null || snapshot.waitingQueues.includes(queues.control) || Date.now() - answered > silentMs;
    if (snapshot.status !== "RUNNING" || (snapshot.progress === null && dead)) return snapshot;
  }
}

/** What a closed workflow returned, or why it did not complete. */
export async function endOf<T>(client: Client, workflowId: string): Promise<{ result: T } | { failure: Failure }> {
  try {
    return { result: (await client.workflow.getHandle(workflowId).result()) as T };
  } catch (error) {
    if (!(error instanceof WorkflowFailedError)) throw error;
    return { failure: failureText(error) };
  }
}

function statusOf(name: string): RunStatus {
  const known: readonly RunStatus[] = ["RUNNING", "COMPLETED", "FAILED", "CANCELLED", "TERMINATED", "TIMED_OUT"];
  return known.find((status) => status === name) ?? "UNKNOWN";
}

/** Deadline exceeded, cancelled or "no worker has polled lately" of gRPC. */
function isLate(error: unknown): boolean {
  const cause = error instanceof Error && "code" in error ? error : error instanceof Error ? error.cause : undefined;
  const code = typeof cause === "object" && cause !== null && "code" in cause ? cause.code : undefined;
  return code === 1 || code === 4 || code === 9 || code === 14;
}
