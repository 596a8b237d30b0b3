import { stageRecordKey } from "../../contract/places.ts";
import type { ExperimentPlan } from "../../contract/experiment.ts";
import type { Ref } from "../../contract/ref.ts";
import { type Stage, stageKey, type StageRecord } from "../../contract/stages.ts";
import type { RunRef } from "../../contract/units.ts";
import { nearest } from "../config/nearest.ts";
import { precheckError, usageError } from "../errors.ts";
import type { Stores } from "../project.ts";
import type { KnownRun } from "../server/runs.ts";
import type { DatasetKind, Row } from "./rows.ts";

/** A dataset of a run; `rows` and `card` are null until its stage has sealed it, `card` also where it has none. */
export interface Dataset {
  /** `conversations-distress`, `pairs-distress`, `evaluation-smollm2-135m`. */
  readonly name: string;
  readonly kind: DatasetKind;
  /** A context, for an evaluation a backbone. */
  readonly of: string;
  /** Key of the stage record that seals it. */
  readonly piece: string;
  readonly rows: Ref | null;
  readonly card: Ref | null;
}

export interface MadeDataset extends Dataset {
  readonly rows: Ref;
}

const sources: Record<DatasetKind, { readonly stage: Stage; readonly output: string }> = {
  conversations: { stage: "converse", output: "conversations" },
  pairs: { stage: "steer", output: "pairs" },
  evaluation: { stage: "evaluate", output: "rows" },
};

/** All datasets that the run makes, in the method's order, from its records alone. */
export async function datasetsOf(
  { records }: Pick<Stores, "records">,
  { run, plan }: { readonly run: RunRef; readonly plan: Pick<ExperimentPlan, "contexts" | "backbones"> },
): Promise<readonly Dataset[]> {
  const wanted = [
    ...plan.contexts.map((of) => ({ kind: "conversations" as const, of })),
    ...plan.contexts.map((of) => ({ kind: "pairs" as const, of })),
    ...plan.backbones.map((of) => ({ kind: "evaluation" as const, of })),
  ];
  return Promise.all(
    wanted.map(async ({ kind, of }) => {
      const { stage, output } = sources[kind];
      const piece = stageKey(stage, of);
      const stored = (await records.get(stageRecordKey(run, piece)))?.value as StageRecord | undefined;
      const { [output]: rows = null, card = null } = stored?.outputs ?? {};
      return { name: `${kind}-${of}`, kind, of, piece, rows, card };
    }),
  );
}

/**
 * The dataset of this name, which must be sealed.
 * @throws CliError exit 2: there is no such dataset; exit 3: it is not made yet
 */
export async function findDataset(stores: Stores, known: KnownRun, wanted: string): Promise<MadeDataset> {
  const all = await datasetsOf(stores, known);
  const found = all.find(({ name }) => name === wanted);
  if (found === undefined) {
    const names = all.map(({ name }) => name);
    const meant = nearest(wanted, names);
    throw usageError(
      `${known.workflowId} has no dataset ${wanted}; ${meant === undefined ? `it has ${names.join(", ")}` : `did you mean ${meant}?`}`,
    );
  }
  const { rows } = found;
  if (rows === null)
    throw precheckError(
      `${wanted} of ${known.workflowId} is not made yet: ${found.piece} is not finished. npx attune show ${known.run.name}/${known.run.digest.slice(0, 12)} shows what is.`,
    );
  return { ...found, rows };
}

/** Rows in their order, one in memory at a time; the file's digest is checked first. */
export function readRows({ artifacts }: Pick<Stores, "artifacts">, { rows }: MadeDataset): AsyncIterable<Row> {
  return artifacts.readLines(rows) as AsyncIterable<Row>;
}
