import { onTestFinished } from "vitest";
import type { CallStore } from "../../platform/calls/store.ts";
import type { Records } from "../../platform/records/records.ts";
import { openStores } from "../../platform/stores.ts";

/** What a process is started with; its stores are those that a program would open there. */
export interface StoreEnvironment extends Readonly<Record<string, string>> {
  readonly ATTUNE_HOME: string;
}

/** Closed with the test. */
export async function openStoresOf(env: StoreEnvironment) {
  const stores = await openStores({ env, home: env.ATTUNE_HOME });
  onTestFinished(stores.close);
  return stores;
}

export async function openRecords(env: StoreEnvironment): Promise<Records> {
  return (await openStoresOf(env)).records;
}

/** Closed with the test, if not before. */
export async function openCalls(env: StoreEnvironment): Promise<CallStore> {
  const store = (await openStoresOf(env)).openCalls();
  onTestFinished(async () => store.close());
  return store;
}
