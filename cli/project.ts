import { join, resolve } from "node:path";
import { fileURLToPath } from "node:url";
import { defaultQueues, queuesFor, type Queues } from "../contract/queues.ts";
import { localArtifacts } from "../platform/artifacts/local.ts";
import type { ArtifactStore } from "../platform/artifacts/store.ts";
import { sqliteRecords } from "../platform/records/sqlite.ts";
import type { Records } from "../platform/records/records.ts";
import { readDevStack, type DevStack } from "../workers/dev/dev-file.ts";

/** Where a command works: the project, its data directory and the addresses it talks to. */
export interface Project {
  readonly root: string;
  /** The data directory: ATTUNE_HOME, else `.attune`. */
  readonly home: string;
  /** Environment, with the addresses of a running dev stack where none are set. */
  readonly env: Readonly<Record<string, string | undefined>>;
  readonly temporal: { readonly address: string; readonly namespace: string };
  readonly queues: Queues;
  /** The dev stack of this data directory, while it runs. */
  readonly dev: DevStack | null;
}

export const projectRoot = resolve(fileURLToPath(new URL("..", import.meta.url)));

export async function openProject(environment: NodeJS.ProcessEnv = process.env): Promise<Project> {
  const home = resolve(environment["ATTUNE_HOME"] ?? join(projectRoot, ".attune"));
  const dev = await readDevStack(home);
  const env =
    dev === null
      ? environment
      : { ATTUNE_REHEARSAL_URL: dev.rehearsalUrl, TEMPORAL_ADDRESS: dev.temporalAddress, ...environment };
  const prefix = env["ATTUNE_QUEUE_PREFIX"];
  return {
    root: projectRoot,
    home,
    env,
    temporal: { address: env["TEMPORAL_ADDRESS"] ?? "127.0.0.1:7233", namespace: env["TEMPORAL_NAMESPACE"] ?? "default" },
    queues: prefix === undefined || prefix === "" ? defaultQueues : queuesFor(prefix),
    dev,
  };
}

/** The runs' facts and files. */
export interface Stores {
  readonly artifacts: ArtifactStore;
  readonly records: Records;
}

/** Opens the stores for `work` and closes them whatever happens. */
export async function withStores<T>({ home }: Pick<Project, "home">, work: (stores: Stores) => Promise<T>): Promise<T> {
  const stores = { artifacts: localArtifacts(join(home, "artifacts")), records: sqliteRecords(join(home, "records.db")) };
  try {
    return await work(stores);
  } finally {
    stores.records.close();
  }
}
