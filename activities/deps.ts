import type { ResolvedExperiment } from "../configs/schema/resolved.ts";
import type { RunRef } from "../contract/units.ts";
import type { ArtifactStore } from "../platform/artifacts/store.ts";
import type { CallStore } from "../platform/calls/store.ts";
import type { ModelCaller } from "../platform/llm/client.ts";
import type { Records } from "../platform/records/records.ts";
import type { Logger } from "../platform/telemetry/log.ts";

/** Everything activities need from outside; built once per worker process. */
export interface Deps {
  readonly artifacts: ArtifactStore;
  readonly records: Records;
  readonly callStore: CallStore;
  readonly caller: ModelCaller;
  /** The run's resolved configuration, parsed and cached. */
  readonly config: (run: RunRef) => Promise<ResolvedExperiment>;
  readonly env: Environment;
  readonly log: Logger;
}

interface Environment {
  /** The data directory, `.attune` by default. */
  readonly home: string;
  readonly projectRoot: string;
  /** The Python of the trainer's environment. */
  readonly python: string;
  readonly codeVersion: string;
  readonly now: () => Date;
}
