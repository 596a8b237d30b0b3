import type { BatchGroup, RunRef, UnitOutcome } from "../contract/units.ts";
import type { Deps } from "./deps.ts";
import { runKey } from "./stages/records.ts";

/** What a unit left behind: its outcome and, when done, its row. First write wins. */
export interface UnitRecord<Row = unknown> {
  readonly outcome: UnitOutcome;
  readonly row: Row | null;
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

/** Answers the record that is stored, which may be another attempt's. */
export async function writeUnit(deps: Pick<Deps, "records">, run: RunRef, group: BatchGroup, unit: number, record: UnitRecord): Promise<UnitRecord> {
  return (await deps.records.putFirst(unitKey(run, group, unit), record)) as UnitRecord;
}

/** All units of a batch that have an outcome, in order. */
export async function listUnits(deps: Pick<Deps, "records">, run: RunRef, group: BatchGroup): Promise<readonly UnitRecord[]> {
  return (await deps.records.list(unitPrefix(run, group))).map((stored) => stored.value as UnitRecord);
}
