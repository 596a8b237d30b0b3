import { createHash, randomUUID } from "node:crypto";
import { type FileHandle, mkdir, open, rm } from "node:fs/promises";
import { join } from "node:path";
import type { Ref } from "../../contract/ref.ts";
import { withRoom } from "../no-room.ts";
import type { Bucket } from "../s3/bucket.ts";
import { differs, mismatch } from "./digests.ts";
import { digestObject, downloads } from "./download.ts";
import { jsonLines, parsedLines } from "./lines.ts";
import { checkUri, namer, noDigest } from "./place.ts";
import type { ArtifactStore } from "./store.ts";
import { largeBytes, uploadLarge } from "./upload.ts";

/** Digests that one process remembers; its oldest is asked for again. */
const mostKnown = 10_000;

interface Content {
  readonly bytes: number;
  readonly sha256: string;
}

/** Artifacts as objects: a conditional put makes each name once. Copies that jobs and readers work on lie below `cache`, by their digest. */
export function s3Artifacts(bucket: Bucket, cache: string): ArtifactStore {
  const copies = downloads(bucket, cache);
  const known = new Map<string, string>();
  /** The content of an ETag is always the same, so it is not read twice. */
  const remember = (key: string, etag: string, sha256: string) => {
    known.set(`${key} ${etag}`, sha256);
    const [oldest] = known.keys();
    if (known.size > mostKnown && oldest !== undefined) known.delete(oldest);
  };
  const keyOf = (uri: string) => {
    checkUri(uri);
    return `artifacts/${uri}`;
  };

  /** Digest of what is stored; null when it is not there. */
  const digest = async (key: string): Promise<string | null> => {
    const head = await bucket.head(key);
    if (head === null) return null;
    const remembered = known.get(`${key} ${head.etag}`);
    if (remembered !== undefined) return remembered;
    const read = await digestObject(bucket, key);
    if (read !== null) remember(key, read.etag, read.sha256);
    return read?.sha256 ?? null;
  };

  /** Where the same content is stored already, that is as good. */
  const needSame = async (uri: string, { sha256 }: Content, etag: string | null) => {
    const key = keyOf(uri);
    const head = await bucket.head(key);
    if (head !== null && (head.etag === etag || head.metadata["sha256"] === sha256)) return;
    const found = await digest(key);
    if (found !== sha256) throw differs(uri, found, sha256);
  };

  const putSmall = async (uri: string, body: Uint8Array, content: Content) => {
    const key = keyOf(uri);
    const etag = await bucket.put(key, body, { when: "absent", metadata: { sha256: content.sha256 } });
    if (etag === null) await needSame(uri, content, null);
    else remember(key, etag, content.sha256);
  };

  const putHandle = async (named: (sha256: string) => string, source: FileHandle, rows: number | null): Promise<Ref> => {
    const content = await digestHandle(source);
    const { bytes, sha256 } = content;
    const uri = named(sha256);
    if (bytes < largeBytes) {
      const body = Buffer.alloc(bytes);
      await source.read(body, 0, bytes, 0);
      if (sha256Of(body) !== sha256) throw new Error(`The file for artifact ${uri} changed while it was stored.`);
      await putSmall(uri, body, content);
    } else {
      const key = keyOf(uri);
      const { stored, etag } = await uploadLarge({ bucket, key, source, bytes, sha256 });
      if (stored === "exists") await needSame(uri, content, etag);
      else remember(key, etag, sha256);
    }
    return { uri, sha256, bytes, rows };
  };

  const putSpooled = async (named: (sha256: string) => string, rows: Parameters<ArtifactStore["putLines"]>[1]): Promise<Ref> => {
    const count = { rows: 0 };
    await mkdir(cache, { recursive: true });
    const spool = join(cache, `${randomUUID()}.part`);
    const handle = await open(spool, "wx+");
    try {
      // Without a name it is gone with the process, however that ends.
      await rm(spool);
      for await (const chunk of jsonLines(rows, count)) await handle.writeFile(chunk);
      return await putHandle(named, handle, count.rows);
    } finally {
      await handle.close();
    }
  };

  return {
    put: async (uri, content) => {
      const body = typeof content === "string" ? Buffer.from(content) : content;
      const ref = { uri, sha256: sha256Of(body), bytes: body.byteLength, rows: null };
      await putSmall(uri, body, ref);
      return ref;
    },
    putLines: async (uri, rows) => {
      const named = namer(uri);
      keyOf(named(noDigest));
      const what = `Artifact ${named("…")}, which is gathered before it is stored,`;
      return withRoom(what, cache, () => putSpooled(named, rows));
    },
    putFile: async (uri, localFile) => {
      keyOf(uri);
      const handle = await open(localFile, "r");
      try {
        return await putHandle(() => uri, handle, null);
      } finally {
        await handle.close();
      }
    },
    read: async ({ uri, sha256 }) => {
      const found = await bucket.read(keyOf(uri));
      const digest = found === null ? null : sha256Of(found.body);
      if (found === null || digest !== sha256) throw mismatch(uri, digest, sha256);
      return found.body;
    },
    // From a copy, since every digest is checked before the first row is given out.
    readLines: async function* (ref) {
      yield* parsedLines(await copies.file(keyOf(ref.uri), ref));
    },
    localPath: async (ref) => copies.file(keyOf(ref.uri), ref),
    verify: async ({ uri, sha256 }) => (await digest(keyOf(uri))) === sha256,
    exists: async (uri) => (await bucket.head(keyOf(uri))) !== null,
    remove: async (uri) => bucket.remove(keyOf(uri)),
  };
}

const sha256Of = (content: Uint8Array) => createHash("sha256").update(content).digest("hex");

async function digestHandle(source: FileHandle): Promise<Content> {
  const hash = createHash("sha256");
  const chunk = Buffer.allocUnsafe(1024 * 1024);
  for (let bytes = 0; ;) {
    const { bytesRead } = await source.read(chunk, 0, chunk.length, bytes);
    if (bytesRead === 0) return { bytes, sha256: hash.digest("hex") };
    hash.update(chunk.subarray(0, bytesRead));
    bytes += bytesRead;
  }
}
