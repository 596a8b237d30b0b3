import { createHash, randomUUID } from "node:crypto";
import { createReadStream, mkdirSync } from "node:fs";
import { link, mkdir, open, readFile, rm, stat, type FileHandle } from "node:fs/promises";
import { dirname } from "node:path";
import { createInterface } from "node:readline";
import type { Ref } from "../../contract/ref.ts";
import { placeOf } from "./place.ts";
import { type ArtifactStore, DigestMismatchError } from "./store.ts";

/** Lines are gathered to about this size before they are hashed and written. */
const chunkBytes = 256 * 1024;

/** Artifacts as files below `root`: temporary file, fsync, then linked to the final name, which must be new. */
export function localArtifacts(root: string): ArtifactStore {
  mkdirSync(root, { recursive: true });

  const write = async (
    uri: string,
    chunks: Iterable<Uint8Array> | AsyncIterable<Uint8Array>,
    rows: () => number | null,
  ): Promise<Ref> => {
    const final = await placeOf(root, uri);
    await mkdir(dirname(final), { recursive: true });
    const temporary = `${final}.${randomUUID()}.part`;
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
      await linkNew({ temporary, final, uri, sha256 });
      return { uri, sha256, bytes, rows: rows() };
    } finally {
      await handle.close();
      await rm(temporary, { force: true });
    }
  };

  const checked = async ({ uri, sha256 }: Ref): Promise<string> => {
    const file = await placeOf(root, uri);
    const found = await digestFile(file);
    if (found !== sha256) throw mismatch(uri, found, sha256);
    return file;
  };

  return {
    put: async (uri, content) => write(uri, [typeof content === "string" ? Buffer.from(content) : content], () => null),
    putLines: async (uri, rows) => {
      const count = { rows: 0 };
      return write(uri, lines(rows, count), () => count.rows);
    },
    putFile: async (uri, localFile) => write(uri, createReadStream(localFile), () => null),
    read: async ({ uri, sha256 }) => {
      const content = await readFile(await placeOf(root, uri)).catch(orMissing);
      const found = content === null ? null : createHash("sha256").update(content).digest("hex");
      if (content === null || found !== sha256) throw mismatch(uri, found, sha256);
      return content;
    },
    readLines: async function* (ref) {
      const input = createReadStream(await checked(ref));
      try {
        for await (const line of createInterface({ input, crlfDelay: Infinity }))
          if (line !== "") yield JSON.parse(line) as unknown;
      } finally {
        // A reader that stops early must not leave the file open.
        input.destroy();
      }
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
    if (there !== sha256) throw new DigestMismatchError(uri, `exists with other content (${short(there)}, not ${short(sha256)})`);
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

async function* lines(rows: Iterable<unknown> | AsyncIterable<unknown>, count: { rows: number }): AsyncIterable<Uint8Array> {
  let gathered = "";
  for await (const row of rows) {
    const line = JSON.stringify(row);
    if (line === undefined) throw new TypeError(`Row ${count.rows + 1} has no JSON form`);
    gathered += `${line}\n`;
    count.rows += 1;
    if (gathered.length < chunkBytes) continue;
    yield Buffer.from(gathered);
    gathered = "";
  }
  yield Buffer.from(gathered);
}

/** Hex sha256, or null when the file is not there. */
async function digestFile(file: string): Promise<string | null> {
  const hash = createHash("sha256");
  try {
    for await (const chunk of createReadStream(file)) hash.update(chunk as Buffer);
  } catch (error) {
    return orMissing(error as Error);
  }
  return hash.digest("hex");
}

function orMissing(error: Error): null {
  if ((error as NodeJS.ErrnoException).code === "ENOENT") return null;
  throw error;
}

function mismatch(uri: string, found: string | null, expected: string): DigestMismatchError {
  return new DigestMismatchError(
    uri,
    found === null ? "is missing" : `was altered: its digest is ${short(found)}, not ${short(expected)}`,
  );
}

function short(digest: string | null): string {
  return digest?.slice(0, 12) ?? "gone";
}
