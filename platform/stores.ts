import { join } from "node:path";
import { localArtifacts } from "./artifacts/local.ts";
import { s3Artifacts } from "./artifacts/s3.ts";
import type { ArtifactStore } from "./artifacts/store.ts";
import { type CallCache, openCallCache } from "./calls/cache.ts";
import { openS3CallCache } from "./calls/s3-cache.ts";
import { s3Calls } from "./calls/s3.ts";
import { sqliteCalls } from "./calls/sqlite.ts";
import type { CallStore } from "./calls/store.ts";
import { sqliteRecords } from "./records/sqlite.ts";
import { s3Records } from "./records/s3.ts";
import type { Records } from "./records/records.ts";
import { storeAddress } from "./s3/address.ts";
import { openBucket } from "./s3/open.ts";
import { probeConditions } from "./s3/probe.ts";

/** The runs' facts and files. */
export interface Stores {
  readonly artifacts: ArtifactStore;
  readonly records: Records;
}

export interface OpenStores extends Stores {
  /**
   * Whether the store keeps what runs rest on.
   * @throws StoreError
   */
  check(): Promise<void>;
  /** To be closed before the others. */
  openCalls(): CallStore;
  /** null: no call was recorded yet. */
  openCallCache(): Promise<CallCache | null>;
  close(): void;
}

interface StoreSettings {
  readonly env: Readonly<Record<string, string | undefined>>;
  /** The data directory: local stores lie here, and copies of what lies elsewhere. */
  readonly home: string;
}

/**
 * Opens the stores that ATTUNE_STORE names.
 * @throws StoreError naming what is wrong and what to do
 */
export async function openStores({ env, home }: StoreSettings): Promise<OpenStores> {
  const address = storeAddress(env, home);
  if (address.kind === "local") {
    const records = sqliteRecords(join(home, "records.db"));
    return {
      artifacts: localArtifacts(join(home, "artifacts")),
      records,
      check: async () => undefined,
      openCalls: () => sqliteCalls(join(home, "calls.db")),
      openCallCache: async () => openCallCache(join(home, "calls.db")),
      close: () => records.close(),
    };
  }
  const bucket = await openBucket({ ...address, env });
  return {
    artifacts: s3Artifacts(bucket, join(home, "cache", "artifacts")),
    records: s3Records(bucket),
    check: () => probeConditions(bucket),
    openCalls: () => s3Calls(bucket),
    openCallCache: () => openS3CallCache(bucket),
    close: () => bucket.close(),
  };
}
