import { createHash, randomUUID } from "node:crypto";
import { createReadStream, mkdirSync } from "node:fs";
import { link, mkdir, open, readFile, rm, stat, type FileHandle } from "node:fs/promises";
import { dirname, join } from "node:path";
import type { Ref } from "../../contract/ref.ts";
import { withRoom } from "../no-room.ts";
import { removeOldParts } from "./parts.ts";
import { jsonLines, parsedLines } from "./lines.ts";
import { namer, noDigest, placeOf } from "./place.ts";
import { differs, digestFile, mismatch, orMissing } from "./digests.ts";
import { type ArtifactStore, DigestMismatchError } from "./store.ts";

/** Artifacts as files below `root`: temporary file, fsync, then linked to the final name, which must be new. */
export function localArtifacts(root: string): ArtifactStore {
  mkdirSync(root, { recursive: true });

  const write = async (
    named: (sha256: string) => string,
    chunks: Iterable<Uint8Array> | AsyncIterable<Uint8Array>,
    rows: () => number | null,
  ): Promise<Ref> => {
    const folder = dirname(await placeOf(root, named(noDigest)));
    await mkdir(folder, { recursive: true });
    await removeOldParts(folder);
    const temporary = join(folder, `${randomUUID()}.part`);
    const handle = await open(temporary, "wx");
    try {
      const hash = createHash("sha256");
      let bytes = 0;
      for await (const chunk of chunks) {
        hash.update(chunk);
        bytes += chunk.byteLength;
        await handle.writeFile(chunk);
      }
      await handle.sync();
      const sha256 = hash.digest("hex");
      const uri = named(sha256);
      const final = await placeOf(root, uri);
      await mkdir(dirname(final), { recursive: true });
      await linkNew({ temporary, final, uri, sha256 });
      return { uri, sha256, bytes, rows: rows() };
    } finally {
      await handle.close();
      await rm(temporary, { force: true });
    }
  };

  const store = (
    uri: Parameters<ArtifactStore["putLines"]>[0],
    chunks: Parameters<typeof write>[1],
    rows: () => number | null = () => null,
  ): Promise<Ref> => {
    const named = namer(uri);
    return withRoom(`Artifact ${named("…")}`, root, () => write(named, chunks, rows));
  };

  const checked = async ({ uri, sha256 }: Ref): Promise<string> => {
    const file = await placeOf(root, uri);
    const found = await digestFile(file);
    if (found !== sha256) throw mismatch(uri, found, sha256);
    return file;
  };

  return {
    put: async (uri, content) => store(uri, [typeof content === "string" ? Buffer.from(content) : content]),
    putLines: async (uri, rows) => {
      const count = { rows: 0 };
      return store(uri, jsonLines(rows, count), () => count.rows);
    },
    putFile: async (uri, localFile) => store(uri, chunksOf(localFile)),
    read: async ({ uri, sha256 }) => {
      const content = await readFile(await placeOf(root, uri)).catch(orMissing);
      const found = content === null ? null : createHash("sha256").update(content).digest("hex");
      if (content === null || found !== sha256) throw mismatch(uri, found, sha256);
      return content;
    },
    readLines: async function* (ref) {
      yield* parsedLines(await checked(ref));
    },
    localPath: checked,
    verify: async (ref) => {
      try {
        await checked(ref);
        return true;
      } catch (error) {
        if (error instanceof DigestMismatchError) return false;
        throw error;
      }
    },
    exists: async (uri) => (await stat(await placeOf(root, uri)).catch(orMissing)) !== null,
    remove: async (uri) => rm(await placeOf(root, uri), { force: true }),
  };
}

/** Opened when it is read: a stream that can't be opened before anybody reads it would end the process. */
async function* chunksOf(file: string): AsyncIterable<Uint8Array> {
  for await (const chunk of createReadStream(file)) yield chunk as Buffer;
}

/** A link to an existing name fails where a rename would replace, so two writers can't both believe that theirs is stored. */
async function linkNew({
  temporary,
  final,
  uri,
  sha256,
}: {
  temporary: string;
  final: string;
  uri: string;
  sha256: string;
}): Promise<void> {
  try {
    await link(temporary, final);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== "EEXIST") throw error;
    const there = await digestFile(final);
    if (there !== sha256) throw differs(uri, there, sha256);
  }
  await syncFolder(dirname(final));
}

/** The name of a new file is durable only with its folder. */
async function syncFolder(folder: string): Promise<void> {
  const handle: FileHandle = await open(folder, "r");
  try {
    await handle.sync();
  } finally {
    await handle.close();
  }
}
