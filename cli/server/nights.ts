import { type Client, WorkflowNotFoundError } from "@temporalio/client";
import { usageError } from "../errors.ts";
import { workflowTypes } from "./launch.ts";

const prefix = "night/";

/** Id of an experiment's nights; the server adds to each when it was meant to start, like `-2026-03-01T03:00:00Z`. */
export function nightId(experiment: string): string {
  return `${prefix}${experiment}`;
}

export function isNightId(wanted: string): boolean {
  return wanted.startsWith(prefix);
}

/** `night/quickstart-2026-03-01T03:00:00Z` → `quickstart`. */
function experimentOfNight(workflowId: string): string {
  return workflowId.slice(prefix.length).replace(/-\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ$/, "");
}

/**
 * The night's workflow id, once the server has said that it is one.
 * @throws CliError (exit 2) when it is not
 */
export async function findNight(client: Client, wanted: string): Promise<string> {
  const handle = client.workflow.getHandle(wanted);
  const type = await handle.describe().then(
    (described) => described.type,
    (error: unknown) => {
      if (error instanceof WorkflowNotFoundError) return null;
      throw error;
    },
  );
  if (type === workflowTypes.nightly) return wanted;
  const open = await openNights(client);
  throw usageError(
    `No night ${wanted} is on this server; ${open.length === 0 ? "none is open" : `open are ${open.join(", ")}`}. \`npx attune ls\` shows the last ones.`,
  );
}

/** The newest open night of the experiment; null: there is none. */
export async function openNightOf(client: Client, experiment: string): Promise<string | null> {
  return (await openNights(client)).find((id) => experimentOfNight(id) === experiment) ?? null;
}

/** Newest first. Ids tell the experiment: a night of an old schedule has no attribute for it. */
async function openNights(client: Client): Promise<readonly string[]> {
  const ids: string[] = [];
  const query = `WorkflowType = "${workflowTypes.nightly}" AND ExecutionStatus = "Running"`;
  for await (const { workflowId } of client.workflow.list({ query })) if (isNightId(workflowId)) ids.push(workflowId);
  return ids;
}
