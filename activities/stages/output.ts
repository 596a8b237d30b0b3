import { createHash } from "node:crypto";
import type { JobInputFile } from "../../contract/jobs.ts";
import type { Ref } from "../../contract/ref.ts";
import type { RunRef } from "../../contract/units.ts";
import { readFolder } from "../../platform/artifacts/folder.ts";
import { indexLines, type LineIndex } from "../../platform/artifacts/line-index.ts";
import type { ArtifactStore } from "../../platform/artifacts/store.ts";
import { runUri } from "./records.ts";

/** JSONL under a name that holds its digest: made again from other rows it is another file, never a changed one. Rows are written as they come. */
export async function putRows(
  artifacts: ArtifactStore,
  run: RunRef,
  stem: string,
  rows: Iterable<unknown> | AsyncIterable<unknown>,
): Promise<Ref> {
  return artifacts.putLines((sha256) => `${runUri(run)}/data/${stem}-${sha256.slice(0, 8)}.jsonl`, rows);
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

/** Reads single rows of JSONL artifacts by number, from 0; undefined past the last. A file is looked through once a process, and never held. */
export function rowReader<Row>(artifacts: ArtifactStore): (ref: Ref, number: number) => Promise<Row | undefined> {
  const indexes = new Map<string, Promise<LineIndex>>();
  return async (ref, number) => {
    const index = indexes.get(ref.sha256) ?? artifacts.localPath(ref).then(indexLines);
    indexes.set(ref.sha256, index);
    try {
      const line = await (await index).line(number);
      return line === undefined ? undefined : (JSON.parse(line) as Row);
    } catch (error) {
      // The next who asks looks for the file again.
      indexes.delete(ref.sha256);
      throw error;
    }
  };
}

/** Scores by the ids of the rows that a score job was given. */
export async function readScores(artifacts: ArtifactStore, ref: Ref): Promise<Map<string, Readonly<Record<string, number>>>> {
  const scores = new Map<string, Readonly<Record<string, number>>>();
  for await (const row of artifacts.readLines(ref)) {
    const { id, scores: found } = row as { id: string; scores: Record<string, number> };
    scores.set(id, found);
  }
  return scores;
}
