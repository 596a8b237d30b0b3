import type { NativeConnection, WorkerOptions } from "@temporalio/worker";
import type { Deps } from "../activities/deps.ts";
import type { Queues } from "../contract/queues.ts";

/** What every role's worker is made from. */
export interface WorkerSettings {
  readonly connection: NativeConnection;
  readonly namespace: string;
  readonly queues: Queues;
  readonly deps: Deps;
}

/** A worker of one role; `run` ends after `stop`, or throws. */
export interface RoleWorker {
  run(): Promise<void>;
  stop(): void;
}

/** Shared by all roles; the identity is what the UI's Workers page shows. */
export function baseOptions(
  { connection, namespace }: WorkerSettings,
  role: string,
  host: string,
): Pick<WorkerOptions, "connection" | "namespace" | "identity"> {
  return { connection, namespace, identity: `${role} ${process.pid}@${host}` };
}
