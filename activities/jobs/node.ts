import { thisNode } from "../../platform/jobs/node.ts";
import type { NodeIdentity } from "../../platform/jobs/node.ts";
import type { Launcher } from "../../platform/jobs/launcher.ts";
import { processLauncher } from "../../platform/jobs/process.ts";
import type { Deps } from "../deps.ts";

/** What the rooms around jobs need from outside. */
export type JobDeps = Pick<Deps, "artifacts" | "records" | "config" | "env" | "log">;

/** What a GPU worker knows of its machine; built once per process. */
export interface JobsNode extends NodeIdentity {
  /** The pool's task queue; the node's own is derived from it. */
  readonly pool: string;
  /** Temporal cluster id (or any name of the server that stays the same): part of a job's label. */
  readonly cluster: string;
  readonly launcher: Launcher;
  /** Between the polite and the forced end of a job, in ms. */
  readonly graceMs: number;
  /** Between two looks at a running job, in ms. */
  readonly pollMs: number;
}

/** This machine with the `process` launcher and the trainer's entry. */
export function processNode({
  deps,
  pool,
  cluster,
  env,
}: {
  deps: Pick<Deps, "env">;
  pool: string;
  cluster: string;
  env: Readonly<Record<string, string | undefined>>;
}): JobsNode {
  const { home, projectRoot, python, now } = deps.env;
  const launcher = processLauncher({ home, command: [python, "-m", "trainer.entry"], directory: projectRoot, env, now });
  return { ...thisNode(env), pool, cluster, launcher, graceMs: 15_000, pollMs: 250 };
}
