import { join, resolve } from "node:path";
import { fileURLToPath } from "node:url";
import { defaultQueues, queuesFor, type Queues } from "../contract/queues.ts";
import { artifactPlace, storeAddress, storePlace } from "../platform/s3/address.ts";
import { StoreError } from "../platform/store-error.ts";
import { openStores, type OpenStores, type Stores } from "../platform/stores.ts";
import { readDevStack, type DevStack } from "../workers/dev/dev-file.ts";
import { CliError, exitCodes } from "./errors.ts";

export type { OpenStores, Stores } from "../platform/stores.ts";

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

type Place = Pick<Project, "home"> & Partial<Pick<Project, "env">>;

/** Opens the stores for `work` and closes them whatever happens. */
export async function withStores<T>(project: Place, work: (stores: Stores) => Promise<T>): Promise<T> {
  return withOpenStores(project, work);
}

/** The same with the call store and a look at whether the store keeps what runs rest on. */
export async function withOpenStores<T>({ home, env = {} }: Place, work: (stores: OpenStores) => Promise<T>): Promise<T> {
  const stores = await openStores({ env, home }).catch(storeProblem);
  try {
    return await work(stores);
  } catch (error) {
    return storeProblem(error);
  } finally {
    stores.close();
  }
}

/** Before anything is started: a store that can't be used is one clear error here, not one of every worker. */
export async function checkStore(project: Place): Promise<void> {
  await withOpenStores(project, ({ check }) => check());
}

/** Where an artifact lies, for people: a path, or an s3:// uri. */
export const placeOfArtifact = ({ home, env }: Pick<Project, "home" | "env">, uri: string): string =>
  artifactPlace(storeAddress(env, home), uri);

export const placeOfStore = ({ home, env }: Pick<Project, "home" | "env">): string => storePlace(storeAddress(env, home));

/** Where recorded calls lie: a file, or the root of the objects. */
export function placeOfCalls({ home, env }: Pick<Project, "home" | "env">): string {
  const address = storeAddress(env, home);
  return address.kind === "local" ? join(home, "calls.db") : `${storePlace(address)}/calls`;
}

function storeProblem(error: unknown): never {
  if (error instanceof StoreError)
    throw new CliError(error.kind === "address" ? exitCodes.usage : exitCodes.precheck, error.message, { cause: error });
  throw error;
}
