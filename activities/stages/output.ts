import { createHash } from "node:crypto";
import type { JobInputFile } from "../../contract/jobs.ts";
import type { Ref } from "../../contract/ref.ts";
import type { RunRef } from "../../contract/units.ts";
import { readFolder } from "../../platform/artifacts/folder.ts";
import type { ArtifactStore } from "../../platform/artifacts/store.ts";
import { runUri } from "./records.ts";

/** JSONL under a name that holds its digest: made again from other rows it is another file, never a changed one. */
export async function putRows(artifacts: ArtifactStore, run: RunRef, stem: string, rows: readonly unknown[]): Promise<Ref> {
  // Row by row: the whole text would be in memory beside the rows.
  const hash = createHash("sha256");
  for (const [i, row] of rows.entries()) hash.update(`${i === 0 ? "" : "\n"}${JSON.stringify(row)}`);
  return artifacts.putLines(`${runUri(run)}/data/${stem}-${hash.digest("hex").slice(0, 8)}.jsonl`, rows);
}

/** A small text or JSON file, named the same way. */
export async function putText(artifacts: ArtifactStore, run: RunRef, stem: string, ending: string, text: string): Promise<Ref> {
  return artifacts.put(`${runUri(run)}/data/${stem}-${digest8(text)}.${ending}`, text);
}

const digest8 = (text: string) => createHash("sha256").update(text).digest("hex").slice(0, 8);

/** A stored folder as files of a job, below `prefix`. */
export async function folderInputs(artifacts: ArtifactStore, folder: Ref, prefix: string): Promise<JobInputFile[]> {
  const { files } = await readFolder(artifacts, folder);
  return files.map(({ path, ref }) => ({ path: `${prefix}/${path}`, ref }));
}

/** All rows of a JSONL artifact, in memory: a stage's rows of one context. */
export async function readRows<Row>(artifacts: ArtifactStore, ref: Ref): Promise<Row[]> {
  const rows: Row[] = [];
  for await (const row of artifacts.readLines(ref)) rows.push(row as Row);
  return rows;
}
