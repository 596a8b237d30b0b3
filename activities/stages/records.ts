import { stageRecordKey } from "../../contract/places.ts";
import type { Ref } from "../../contract/ref.ts";
import type { Stage, StageRecord } from "../../contract/stages.ts";
import type { RunRef } from "../../contract/units.ts";
import { verifyFolder } from "../../platform/artifacts/folder.ts";
import { heedCancel } from "../cancelled.ts";
import type { Deps } from "../deps.ts";

type Stores = Pick<Deps, "artifacts" | "records" | "env">;

/** Under which a run's calls are booked: a night pays for itself, not for its experiment. */
export function ledgerRun({ digest, epoch }: Pick<RunRef, "digest" | "epoch">): string {
  return epoch === "" ? digest : `${digest}@${epoch}`;
}

/** Uri prefix of a run's artifacts. */
export function runUri(run: RunRef): string {
  const base = `runs/${run.name}/${run.digest}`;
  return run.epoch === "" ? base : `${base}/nights/${run.epoch}`;
}

/** The record as it was written; nothing is verified. */
export async function readStageRecord({ records }: Pick<Deps, "records">, run: RunRef, key: string): Promise<StageRecord | null> {
  const stored = await records.get(stageRecordKey(run, key));
  return stored === null ? null : (stored.value as StageRecord);
}

/** The record when every output, and every file of a folder, is there with its digest; else null. */
export async function findStageRecord(
  stores: Pick<Deps, "artifacts" | "records">,
  run: RunRef,
  key: string,
): Promise<StageRecord | null> {
  const record = await readStageRecord(stores, run, key);
  if (record === null) return null;
  for (const ref of Object.values(record.outputs)) if (!(await isWhole(stores, ref))) return null;
  return record;
}

function isWhole({ artifacts }: Pick<Deps, "artifacts">, ref: Ref): Promise<boolean> {
  return ref.uri.endsWith("/index.json") ? verifyFolder(artifacts, ref) : artifacts.verify(ref);
}

/** Writes the record after its outputs, unless the attempt was given up; a record whose outputs were lost or altered is replaced. Answers what is stored. */
export async function writeStageRecord(
  stores: Stores,
  run: RunRef,
  made: {
    key: string;
    stage: Stage;
    outputs: StageRecord["outputs"];
    counts: StageRecord["counts"];
    facts: StageRecord["facts"];
  },
): Promise<StageRecord> {
  heedCancel();
  const whole = await findStageRecord(stores, run, made.key);
  if (whole !== null) return whole;
  const record: StageRecord = { ...made, codeVersion: stores.env.codeVersion, at: stores.env.now().toISOString() };
  const place = stageRecordKey(run, made.key);
  const previous = await stores.records.get(place);
  heedCancel();
  const won = await stores.records.put(place, record, previous?.version ?? null);
  return won ? record : ((await readStageRecord(stores, run, made.key)) ?? record);
}

/** Forgets a piece that is older than what it was made from; its files stay, since another record may hold them. */
export async function dropStageRecord({ records }: Pick<Deps, "records">, run: RunRef, key: string): Promise<void> {
  await records.remove(stageRecordKey(run, key));
}
