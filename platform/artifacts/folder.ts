import { readdir } from "node:fs/promises";
import { join } from "node:path";
import { z } from "zod";
import type { Ref } from "../../contract/ref.ts";
import type { ArtifactStore, FolderIndex } from "./store.ts";

const index = z.strictObject({
  files: z.array(
    z.strictObject({
      path: z.string(),
      ref: z.strictObject({ uri: z.string(), sha256: z.string(), bytes: z.number(), rows: z.number().nullable() }),
    }),
  ),
});

/** Stores the files of a local folder below `uri` and an index of them; answers the index's ref. */
export async function putFolder(artifacts: ArtifactStore, uri: string, localDir: string): Promise<Ref> {
  const entries = await readdir(localDir, { recursive: true, withFileTypes: true });
  const paths = entries
    .filter((entry) => entry.isFile())
    .map((entry) => join(entry.parentPath, entry.name).slice(localDir.length + 1))
    .toSorted();
  const files = [];
  for (const path of paths) files.push({ path, ref: await artifacts.putFile(`${uri}/${path}`, join(localDir, path)) });
  return artifacts.put(`${uri}/index.json`, JSON.stringify({ files } satisfies FolderIndex));
}

/** @throws DigestMismatchError when the index was altered */
export async function readFolder(artifacts: ArtifactStore, ref: Ref): Promise<FolderIndex> {
  return index.parse(JSON.parse((await artifacts.read(ref)).toString("utf8")));
}

/** True when the index and every file in it are there with their digests. */
export async function verifyFolder(artifacts: ArtifactStore, ref: Ref): Promise<boolean> {
  if (!(await artifacts.verify(ref))) return false;
  const { files } = await readFolder(artifacts, ref);
  for (const file of files) if (!(await artifacts.verify(file.ref))) return false;
  return true;
}
