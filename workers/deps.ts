import { randomUUID } from "node:crypto";
import { hostname } from "node:os";
import { join, resolve } from "node:path";
import { fileURLToPath } from "node:url";
import type { Deps } from "../activities/deps.ts";
import { resolvedExperiment } from "../configs/schema/resolved.ts";
import type { ResolvedExperiment } from "../configs/schema/resolved.ts";
import type { RunRef } from "../contract/units.ts";
import type { ArtifactStore } from "../platform/artifacts/store.ts";
import { modelCaller } from "../platform/llm/caller.ts";
import { sharedLimiters } from "../platform/llm/limiters.ts";
import { openStores } from "../platform/stores.ts";
import { consoleLogger } from "../platform/telemetry/log.ts";
import { codeVersion } from "./code-version.ts";

type Env = Readonly<Record<string, string | undefined>>;

/**
 * What activities work with, from the environment: stores where ATTUNE_STORE says, all else under ATTUNE_HOME (`.attune` by default).
 * @throws StoreError when the store can't be used
 */
export async function openDeps(
  env: Env,
  { callsModels }: { readonly callsModels: boolean },
): Promise<{ readonly deps: Deps; readonly close: () => Promise<void> }> {
  const projectRoot = resolve(fileURLToPath(new URL("..", import.meta.url)));
  const home = resolve(env["ATTUNE_HOME"] ?? join(projectRoot, ".attune"));
  const stores = await openStores({ env, home });
  await stores.check();
  const { artifacts, records } = stores;
  const callStore = stores.openCalls();
  const log = consoleLogger(secretNames(env));
  const limiters = sharedLimiters(records, `${hostname()}-${process.pid}-${randomUUID().slice(0, 8)}`, (error) =>
    log.warn("This process's part of a provider's limits can't be renewed; without it, it makes no calls", {
      cause: String(error),
    }),
  );
  if (callsModels) limiters.watch();
  const deps: Deps = {
    artifacts,
    records,
    callStore,
    caller: modelCaller({ store: callStore, limiters }),
    config: configReader(artifacts),
    env: {
      home,
      projectRoot,
      python: env["ATTUNE_PYTHON"] ?? join(home, "venv", "bin", "python"),
      codeVersion: codeVersion(projectRoot),
      now: () => new Date(),
    },
    log,
  };
  const close = async () => {
    try {
      await limiters.close();
    } finally {
      await callStore.close().finally(stores.close);
    }
  };
  return { deps, close };
}

/** A run's configuration never changes under its digest, so it is read and parsed once. */
function configReader(artifacts: ArtifactStore): (run: RunRef) => Promise<ResolvedExperiment> {
  const known = new Map<string, Promise<ResolvedExperiment>>();
  return ({ config }) => {
    const there = known.get(config.sha256);
    if (there !== undefined) return there;
    const reading = artifacts.read(config).then((bytes) => resolvedExperiment.parse(JSON.parse(bytes.toString("utf8"))));
    known.set(config.sha256, reading);
    // A file that can't be read now may be readable at the next try.
    reading.catch(() => known.delete(config.sha256));
    return reading;
  };
}

/** Variables whose values must not reach a log. */
function secretNames(env: Env): readonly string[] {
  return Object.keys(env).filter((name) => /(?:KEY|TOKEN|SECRET|PASSWORD)$/.test(name));
}
