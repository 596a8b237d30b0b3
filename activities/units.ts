import { createHash } from "node:crypto";
import { unitRowsPrefix } from "../contract/places.ts";
import type { BatchGroup, RunRef, UnitOutcome } from "../contract/units.ts";
import { updateRecord } from "../platform/records/update.ts";
import { heedCancel } from "./cancelled.ts";
import type { Deps } from "./deps.ts";

/** What a unit left behind: its outcome and, when done, its row. First write wins; a unit that gave up may be tried again under a higher limit. */
export interface UnitRecord<Row = unknown> {
  readonly outcome: UnitOutcome;
  readonly row: Row | null;
  /** The conversation it works on, `distress-00007`. */
  readonly subject: string;
  /** Digest of what it was made from besides the configuration (an adapter, sealed conversations); empty when nothing. */
  readonly basis: string;
  /** Samples a turn could use when this was written. */
  readonly sampleLimit: number;
}

/** Prefix of a batch's units. */
function unitPrefix(run: RunRef, { stage, context, backbone, arm }: BatchGroup): string {
  const parts = [context, backbone, arm].filter((part) => part !== undefined);
  return `${unitRowsPrefix(run, stage)}${parts.join("/")}/`;
}

/** Five digits keep units in order up to 100,000. */
export function unitKey(run: RunRef, group: BatchGroup, unit: number): string {
  return `${unitPrefix(run, group)}${String(unit).padStart(5, "0")}`;
}

/** `distress-00007`: the unit's name in rows and call keys. */
export function unitName(context: string, unit: number): string {
  return `${context}-${String(unit).padStart(5, "0")}`;
}

export async function readUnit(
  deps: Pick<Deps, "records">,
  run: RunRef,
  group: BatchGroup,
  unit: number,
): Promise<UnitRecord | null> {
  const stored = await deps.records.get(unitKey(run, group, unit));
  return stored === null ? null : (stored.value as UnitRecord);
}

/** Whether a record settles the unit: it is of this conversation, made from the same things, and done or given up with no fewer samples. */
export function isFinal(
  record: UnitRecord,
  { subject, basis, sampleLimit }: Pick<UnitRecord, "subject" | "basis" | "sampleLimit">,
): boolean {
  return (
    record.subject === subject &&
    record.basis === basis &&
    (record.outcome.status === "done" || record.sampleLimit >= sampleLimit)
  );
}

/** Answers the record that is stored, which may be another attempt's; a finished unit is never replaced. */
export function writeUnit(
  deps: Pick<Deps, "records">,
  run: RunRef,
  group: BatchGroup,
  unit: number,
  record: UnitRecord,
): Promise<UnitRecord> {
  return updateRecord<UnitRecord>(deps.records, unitKey(run, group, unit), (there) =>
    there !== undefined && isFinal(there, record) ? there : record,
  );
}

/**
 * Reads the units of a batch that have an outcome, in order and a few in memory at a time, as often as it is called.
 * @throws at the end of a later reading when units changed since the first: what was made of both would not fit together
 */
export function unitsOf(
  deps: Pick<Deps, "records">,
  run: RunRef,
  group: BatchGroup,
): () => AsyncGenerator<UnitRecord & { readonly unit: number }> {
  const prefix = unitPrefix(run, group);
  let first: string | null = null;
  return async function* () {
    const hash = createHash("sha256");
    for await (const { key, version, value } of deps.records.each(prefix)) {
      heedCancel();
      hash.update(`${key} ${version}\n`);
      yield { ...(value as UnitRecord), unit: Number(key.slice(prefix.length)) };
    }
    const read = hash.digest("hex");
    first ??= read;
    if (read !== first) throw new Error(`Units of ${prefix} changed while they were read; they are read again`);
  };
}
