import { createHash } from "node:crypto";
import { createReadStream, createWriteStream } from "node:fs";
import { mkdir, readdir, rename, rm, writeFile } from "node:fs/promises";
import { join, resolve } from "node:path";
import { pipeline } from "node:stream/promises";
import { type PiiCounts, withoutPii } from "../../domain/pii.ts";
import { writeParquet } from "../../platform/parquet.ts";
import { CliError, exitCodes, usageError } from "../errors.ts";
import type { Stores } from "../project.ts";
import { type MadeDataset, readRows } from "./datasets.ts";
import { findPersonal, personalNote, refusePersonal } from "./personal.ts";
import type { ExportFormat, PiiPolicy } from "./rows.ts";
import { columnsOf, exported } from "./shapes.ts";

interface ExportedFile {
  readonly path: string;
  readonly sha256: string;
  readonly bytes: number;
  /** null for the card. */
  readonly rows: number | null;
}

interface Wanted {
  readonly dataset: MadeDataset;
  readonly folder: string;
  readonly format: ExportFormat;
  readonly pii: PiiPolicy;
}

export interface Exported {
  readonly files: readonly ExportedFile[];
  /** Text that looks personal, as it was found; what was done with it. */
  readonly pii: { readonly policy: PiiPolicy; readonly found: PiiCounts };
}

/**
 * Writes a dataset and its card (README.md, where it has one) to a folder, which may exist and must be empty. Files get their names when all are
 * whole; after an error the folder is as it was, or empty.
 * @throws CliError exit 2: the folder is not empty; exit 3: text that looks personal is there, and the policy is to block; DigestMismatchError: the
 * dataset was altered
 */
export async function exportDataset({ artifacts }: Stores, { dataset, folder, format, pii: policy }: Wanted): Promise<Exported> {
  const place = resolve(folder);
  await needEmpty(place);
  const found = await findPersonal(readRows({ artifacts }, dataset));
  if (policy === "block") refusePersonal(dataset.name, found);
  await mkdir(place, { recursive: true });
  const { kind, name, card, rows: source } = dataset;
  const rows = async function* () {
    for await (const row of readRows({ artifacts }, dataset)) yield exported(kind, policy === "mask" ? withoutPii(row) : row);
  };
  const writers: Record<string, (file: string) => Promise<number | null>> = {
    ...(format === "parquet" ? {} : { [`${name}.jsonl`]: (file) => writeJsonLines(file, rows()) }),
    ...(format === "jsonl" ? {} : { [`${name}.parquet`]: (file) => parquet(file, dataset, rows()) }),
    ...(card === null
      ? {}
      : {
          "README.md": async (file) => {
            const text = (await artifacts.read(card)).toString("utf8");
            await writeFile(file, text + personalNote(policy, found.counts));
            return null;
          },
        }),
  };
  const part = (fileName: string) => join(place, `${fileName}.part`);
  const counts = new Map<string, number | null>();
  try {
    for (const [fileName, write] of Object.entries(writers)) {
      const count = await write(part(fileName));
      if (count !== null && count !== source.rows)
        throw new CliError(exitCodes.failed, `${name} should have ${source.rows} rows, and ${count} were written to ${fileName}`);
      counts.set(fileName, count);
    }
  } catch (error) {
    for (const fileName of Object.keys(writers)) await rm(part(fileName), { force: true });
    throw error;
  }
  const files: ExportedFile[] = [];
  for (const [fileName, count] of counts) {
    const path = join(place, fileName);
    await rename(part(fileName), path);
    files.push({ path, ...(await digestOf(path)), rows: count });
  }
  return { files, pii: { policy, found: found.counts } };
}

async function needEmpty(folder: string): Promise<void> {
  const found = await readdir(folder).catch((error: NodeJS.ErrnoException) => {
    if (error.code === "ENOENT") return [];
    if (error.code === "ENOTDIR") throw usageError(`--to ${folder}: there is a file of this name; name a folder.`);
    throw error;
  });
  if (found.length > 0) throw usageError(`--to ${folder}: the folder is not empty; name a new one. Nothing was written.`);
}

async function writeJsonLines(file: string, rows: AsyncIterable<unknown>): Promise<number> {
  let written = 0;
  const lines = async function* () {
    for await (const row of rows) {
      written += 1;
      yield `${JSON.stringify(row)}\n`;
    }
  };
  await pipeline(lines, createWriteStream(file));
  return written;
}

async function parquet(file: string, { kind, name }: MadeDataset, rows: AsyncIterable<Readonly<Record<string, unknown>>>) {
  try {
    return await writeParquet(file, columnsOf[kind], rows);
  } catch (error) {
    if (!(error instanceof TypeError)) throw error;
    throw new CliError(
      exitCodes.failed,
      `${name} does not fit this version's Parquet columns: ${error.message}. Another version of Attune made it; --format jsonl takes it as it is.`,
      { cause: error },
    );
  }
}

async function digestOf(file: string): Promise<{ sha256: string; bytes: number }> {
  const hash = createHash("sha256");
  let bytes = 0;
  for await (const chunk of createReadStream(file) as AsyncIterable<Buffer>) {
    hash.update(chunk);
    bytes += chunk.length;
  }
  return { sha256: hash.digest("hex"), bytes };
}
