import type { Project } from "../project.ts";

/** The run's page in the Temporal UI; null where no UI is known. */
export function uiLink({ dev, env, temporal }: Project, workflowId: string): string | null {
  const base = env["TEMPORAL_UI_URL"] ?? dev?.uiUrl;
  return base === undefined
    ? null
    : `${base.replace(/\/+$/, "")}/namespaces/${temporal.namespace}/workflows/${encodeURIComponent(workflowId)}`;
}
