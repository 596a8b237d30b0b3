import type { BatchGroup, RunRef, UnitOutcome } from "../contract/units.ts";
import type { Deps } from "./deps.ts";
import { runKey } from "./stages/records.ts";

/** What a unit left behind: its outcome and, when done, its row. First write wins; a unit that gave up may be tried again under a higher limit. */
export interface UnitRecord<Row = unknown> {
  readonly outcome: UnitOutcome;
  readonly row: Row | null;
  /** Samples a turn could use when this was written. */
  readonly sampleLimit: number;
}

/** Prefix of a batch's units. */
export function unitPrefix(run: RunRef, { stage, context, backbone, arm }: BatchGroup): string {
  return ["unit", runKey(run), stage, context, ...(backbone === undefined ? [] : [backbone]), ...(arm === undefined ? [] : [arm]), ""].join("/");
}

/** Five digits keep units in order up to 100,000. */
export function unitKey(run: RunRef, group: BatchGroup, unit: number): string {
  return `${unitPrefix(run, group)}${String(unit).padStart(5, "0")}`;
}

/** `distress-00007`: the unit's name in rows and call keys. */
export function unitName(context: string, unit: number): string {
  return `${context}-${String(unit).padStart(5, "0")}`;
}

export async function readUnit(deps: Pick<Deps, "records">, run: RunRef, group: BatchGroup, unit: number): Promise<UnitRecord | null> {
  const stored = await deps.records.get(unitKey(run, group, unit));
  return stored === null ? null : (stored.value as UnitRecord);
}

/** Answers the record that is stored, which may be another attempt's; a finished unit is never replaced. */
export async function writeUnit(deps: Pick<Deps, "records">, run: RunRef, group: BatchGroup, unit: number, record: UnitRecord): Promise<UnitRecord> {
  const key = unitKey(run, group, unit);
  for (;;) {
    const stored = await deps.records.get(key);
    const there = stored?.value as UnitRecord | undefined;
    if (there !== undefined && (there.outcome.status === "done" || there.sampleLimit >= record.sampleLimit)) return there;
    if (await deps.records.put(key, record, stored?.version ?? null)) return record;
  }
}

/** All units of a batch that have an outcome, in order. */
export async function listUnits(deps: Pick<Deps, "records">, run: RunRef, group: BatchGroup): Promise<readonly UnitRecord[]> {
  return (await deps.records.list(unitPrefix(run, group))).map((stored) => stored.value as UnitRecord);
}
