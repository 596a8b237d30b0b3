import { claimsPrefix, jobDoneKey, pieceKeys, stageRecordKey, unitRowsPrefix } from "../../contract/places.ts";
import { stages, type StageRecord } from "../../contract/stages.ts";
import type { ExperimentPlan } from "../../contract/experiment.ts";
import type { RunRef } from "../../contract/units.ts";
import { verifyFolder } from "../../platform/artifacts/folder.ts";
import { usageError } from "../errors.ts";
import type { Records } from "../../platform/records/records.ts";
import type { Stores } from "../project.ts";

/** A piece of a run: its record as written, and whether all it names is there with its digest. */
export interface Piece {
  readonly key: string;
  readonly record: StageRecord | null;
  readonly whole: boolean;
}

/** Every piece of the run; `verify` reads all files, and takes a piece that is older than what it judges as not there, as the workflow does. */
export async function readPieces(
  stores: Stores,
  run: RunRef,
  plan: ExperimentPlan,
  { verify }: { readonly verify: boolean },
): Promise<readonly Piece[]> {
  const pieces: Piece[] = [];
  const keys = pieceKeys(plan);
  const madeAt = new Map<string, string>();
  for (const key of keys) {
    const record = ((await stores.records.get(stageRecordKey(run, key)))?.value ?? null) as StageRecord | null;
    if (record !== null) madeAt.set(key, record.at);
    const fresh = (at: string) => !judges(key) || parents(key, keys).every((parent) => (madeAt.get(parent) ?? "") <= at);
    pieces.push({ key, record, whole: record !== null && (!verify || (fresh(record.at) && (await isWhole(stores, record)))) });
  }
  return pieces;
}

/** Texts made again are re-read calls; an evaluation of an adapter that was trained anew is no evaluation of it. */
function judges(key: string): boolean {
  return key.startsWith("evaluate/") || key === "report";
}

async function isWhole({ artifacts }: Stores, { outputs }: StageRecord): Promise<boolean> {
  for (const ref of Object.values(outputs)) {
    const whole = ref.uri.endsWith("/index.json") ? await verifyFolder(artifacts, ref) : await artifacts.verify(ref);
    if (!whole) return false;
  }
  return true;
}

/**
 * The piece or stage and everything made from it.
 * @param wanted a stage, or the key of one piece
 */
export function piecesFrom(plan: ExperimentPlan, wanted: string): readonly string[] {
  const keys = pieceKeys(plan);
  const dropped = new Set(keys.filter((key) => key === wanted || key.startsWith(`${wanted}/`)));
  if (dropped.size === 0)
    throw usageError(
      `--rebuild ${wanted}: this run has no such piece; stages are ${stages.join(", ")}, pieces are ${keys.join(", ")}.`,
    );
  for (const key of keys) if (parents(key, keys).some((parent) => dropped.has(parent))) dropped.add(key);
  return [...dropped];
}

/** What a piece is made from; keys are in the method's order, parents first. */
function parents(key: string, keys: readonly string[]): readonly string[] {
  const [stage = "", ...rest] = key.split("/");
  const context = rest.at(-1)?.replace(/^preference-/, "") ?? "";
  switch (stage) {
    case "converse":
      return ["measure"];
    case "steer":
      return [`converse/${context}`, "reward/guide"];
    case "reward":
      return key.startsWith("reward/preference-") ? [`steer/${context}`] : [];
    case "align":
      return [`steer/${context}`];
    case "evaluate":
      return keys.filter(
        (other) => other.startsWith(`align/${context}/`) || (other.startsWith("reward/") && other !== "reward/guide"),
      );
    case "report":
      return keys.filter((other) => other.startsWith("evaluate/"));
    default:
      return [];
  }
}

/**
 * Drops the records of these pieces and their unit rows; recorded calls stay, so nothing is paid twice. What the run's jobs came to is forgotten too:
 * asked to be made again, a job is run again.
 */
export async function dropPieces({ records }: Pick<Stores, "records">, run: RunRef, keys: readonly string[]): Promise<void> {
  for (const key of keys.toReversed()) {
    await records.remove(stageRecordKey(run, key));
    for (const row of await unitRowKeys(records, run, key)) await records.remove(row);
  }
  for (const { value } of await records.list(claimsPrefix(run))) {
    const { work } = value as { readonly work?: string };
    if (work !== undefined) await records.remove(jobDoneKey(work));
  }
}

/** Rows of a batch: below `<stage>/<context>`, and for an evaluation below `evaluate/<context>/<backbone>`. */
async function unitRowKeys(records: Records, run: RunRef, key: string): Promise<readonly string[]> {
  const [stage = "", second = ""] = key.split("/");
  const prefix = unitRowsPrefix(run, stage);
  const keys: string[] = [];
  for await (const { key: row } of records.each(prefix))
    if (row.slice(prefix.length).split("/")[stage === "evaluate" ? 1 : 0] === second) keys.push(row);
  return keys;
}
