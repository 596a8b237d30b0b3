import { Client, Connection } from "@temporalio/client";
import { precheckError } from "../errors.ts";
import type { Project } from "../project.ts";

const connectMs = 5000;

/** @throws CliError (exit 3) when no server answers */
export async function openConnection({ temporal }: Pick<Project, "temporal">): Promise<Connection> {
  try {
    return await Connection.connect({ address: temporal.address, connectTimeout: connectMs });
  } catch (error) {
    throw precheckError(
      `No Temporal server answers at ${temporal.address}. Start one with \`npx attune dev\`, or set TEMPORAL_ADDRESS.`,
      error,
    );
  }
}

export function clientOn(connection: Connection, { temporal }: Pick<Project, "temporal">): Client {
  return new Client({ connection, namespace: temporal.namespace, identity: `attune-cli@${process.pid}` });
}

/** Connects, works, closes. */
export async function withClient<T>(project: Project, work: (client: Client) => Promise<T>): Promise<T> {
  const connection = await openConnection(project);
  try {
    return await work(clientOn(connection, project));
  } finally {
    await connection.close();
  }
}
