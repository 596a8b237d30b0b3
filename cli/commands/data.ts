import { randomInt } from "node:crypto";
import { type Dataset, datasetsOf, findDataset, type MadeDataset, readRows } from "../data/datasets.ts";
import { whyAbsent } from "../data/absent.ts";
import { diffDatasets } from "../data/diff.ts";
import { exportDataset } from "../data/export.ts";
import { print } from "../data/print.ts";
import type { ExportFormat, PiiPolicy, Row } from "../data/rows.ts";
import { sample as draw } from "../data/sample.ts";
import { usageError } from "../errors.ts";
import { commandOutput } from "../output.ts";
import { openProject, placeOfArtifact, type Project, type Stores, withStores } from "../project.ts";
import { findRun, type KnownRun } from "../server/runs.ts";
import { datasetsText, diffText, exportText } from "../view/datasets.ts";
import { runFolder } from "../view/finished.ts";
import { rowText, ruler } from "../view/rows.ts";
import { count } from "../view/table.ts";

interface Options {
  readonly json?: boolean;
}

interface Found {
  readonly project: Project;
  readonly stores: Stores;
  readonly known: KnownRun;
}

const shownDifferences = 5;
/** Where stdout is no terminal, whose width is not known. */
const usualWidth = 80;

/** `attune data ls RUN`: what the run made, and where it lies; nothing is read but the records. */
export async function ls(wanted: string, options: Options): Promise<void> {
  await withRun(wanted, async ({ project, stores, known }) => {
    const place = (uri: string) => placeOfArtifact(project, uri);
    const listed = await Promise.all(
      (await datasetsOf(stores, known)).map(async ({ name, rows, card }: Dataset) => ({
        dataset: name,
        rows: rows?.rows ?? null,
        bytes: rows?.bytes ?? null,
        sha256: rows?.sha256 ?? null,
        path: rows === null ? null : place(rows.uri),
        there: rows !== null && (await stores.artifacts.exists(rows.uri)),
        card: card !== null && (await stores.artifacts.exists(card.uri)) ? place(card.uri) : null,
      })),
    );
    commandOutput(options).result(listed, datasetsText(listed, runFolder(project, known.run)));
  });
}

/** `attune data show RUN DATASET`: every row, or those of one unit. */
export async function show(wanted: string, name: string, options: Options & { readonly unit?: string }): Promise<void> {
  await withDataset(wanted, name, async ({ stores, known, dataset }) => {
    const { unit } = options;
    let seen = 0;
    const rows = async function* () {
      for await (const row of readRows(stores, dataset)) {
        if (unit !== undefined && row.unit !== unit) continue;
        seen += 1;
        yield row;
      }
    };
    await printRows(dataset, rows(), options);
    if (seen > 0 || unit === undefined) return;
    throw usageError(`${name} has no row of ${unit}: ${await whyAbsent(stores.records, known.run, dataset, unit)}`);
  });
}

/** `attune data sample RUN DATASET`: a few rows drawn at random; without a seed others each time. */
export async function sample(
  wanted: string,
  name: string,
  { number, seed = randomInt(2 ** 31), ...options }: Options & { readonly number: number; readonly seed?: number },
): Promise<void> {
  await withDataset(wanted, name, async ({ stores, dataset }) => {
    const drawn = await draw(readRows(stores, dataset), number, seed);
    commandOutput(options).say(`${drawn.length} of ${count(dataset.rows.rows ?? 0)} rows of ${name}, seed ${seed}\n`);
    await printRows(dataset, drawn, options);
  });
}

/** `attune data diff RUN_A RUN_B DATASET`: exit 0 whether or not they differ. */
export async function diff(wantedA: string, wantedB: string, name: string, options: Options): Promise<void> {
  await withDataset(wantedA, name, async ({ stores, known: runA, dataset: inA }) => {
    const runB = await findRun(stores.records, wantedB);
    const inB = await findDataset(stores, runB, name);
    const found = await diffDatasets({
      kind: inA.kind,
      a: () => readRows(stores, inA),
      b: () => readRows(stores, inB),
      most: shownDifferences,
    });
    const record = { dataset: name, a: runA.workflowId, b: runB.workflowId, ...found };
    commandOutput(options).result(record, diffText(record));
  });
}

/** `attune data export RUN DATASET --to FOLDER [--pii block|mask|keep]`. */
export async function exportTo(
  wanted: string,
  name: string,
  options: Options & { readonly to: string; readonly format: ExportFormat; readonly pii?: PiiPolicy },
): Promise<void> {
  await withDataset(wanted, name, async ({ stores, known, dataset }) => {
    // Blocked unless told: what left the data directory can't be called back.
    const { to: folder, format, pii = "block" } = options;
    const made = await exportDataset(stores, { dataset, folder, format, pii });
    const record = { run: known.workflowId, dataset: name, source: dataset.rows, ...made };
    commandOutput(options).result(record, exportText(record, dataset.card !== null));
  });
}

async function withRun(wanted: string, work: (found: Found) => Promise<void>): Promise<void> {
  const project = await openProject();
  await withStores(project, async (stores) => work({ project, stores, known: await findRun(stores.records, wanted) }));
}

async function withDataset(
  wanted: string,
  name: string,
  work: (found: Found & { readonly dataset: MadeDataset }) => Promise<void>,
): Promise<void> {
  await withRun(wanted, async (found) => work({ ...found, dataset: await findDataset(found.stores, found.known, name) }));
}

/** Rows for programs, a line each; chats for people. */
async function printRows({ kind }: Dataset, rows: AsyncIterable<Row> | Iterable<Row>, { json }: Options): Promise<void> {
  const width = process.stdout.columns ?? usualWidth;
  const texts = async function* () {
    let first = true;
    for await (const row of rows) {
      if (json === true) yield `${JSON.stringify(row)}\n`;
      else yield `${first ? "" : ruler(width)}${rowText(kind, row, width)}`;
      first = false;
    }
  };
  await print(texts());
}
