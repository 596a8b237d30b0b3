import { createHash } from "node:crypto";
import type { FileHandle } from "node:fs/promises";
import type { Bucket } from "../s3/bucket.ts";
import { mapPool } from "../s3/pool.ts";
import type { OpenUpload, Part } from "../s3/uploads.ts";

const MiB = 1024 * 1024;
/** Files from here on go up in parts. */
export const largeBytes = 16 * MiB;
const leastPartBytes = 8 * MiB;
/** S3's own limit. */
const mostParts = 10_000;
/** Parts in flight, and so in memory. */
const width = 4;
const tries = 4;
/** An upload that does not fit and is so old belongs to nobody any more: a live one takes hours at most. */
const staleMs = 24 * 3600 * 1000;

interface Upload {
  readonly bucket: Bucket;
  readonly key: string;
  readonly source: FileHandle;
  readonly bytes: number;
  readonly sha256: string;
}

/**
 * Uploads a file in parts, on condition that its key is new. An upload that broke off goes on with its parts that fit, whoever began it.
 * `etag` is what the object must have where it holds this very content; buckets that encrypt with keys of their own give others.
 */
export async function uploadLarge(upload: Upload): Promise<{ readonly stored: "new" | "exists"; readonly etag: string }> {
  const { bucket, key, bytes } = upload;
  const size = partSize(bytes);
  const count = Math.ceil(bytes / size);
  const md5s = await md5sOf(upload, size, count);
  const etag = `"${createHash("md5")
    .update(Buffer.from(md5s.join(""), "hex"))
    .digest("hex")}-${count}"`;
  for (let tried = 1; ; tried += 1) {
    // A server that takes no condition at the end of an upload would replace what is there.
    if ((await bucket.head(key)) !== null) return { stored: "exists", etag };
    const { id, there } = await begunOrNew(upload, { size, md5s });
    const missing = md5s.map((_, i) => i + 1).filter((number) => !there.some((part) => part.number === number));
    const put = await mapPool(missing, width, async (number) => {
      const part = await readPart(upload, number, size);
      if (md5Of(part) !== md5s[number - 1]) throw changed(upload);
      return bucket.uploads.put(key, id, number, part);
    });
    const parts = [...there, ...put.filter((part) => part !== null)].toSorted((a, b) => a.number - b.number);
    const ended = parts.length < count ? "gone" : await bucket.uploads.complete(key, id, parts);
    if (ended !== "gone") {
      // No other upload of this key can be stored any more.
      for (const other of await bucket.uploads.open(key)) await bucket.uploads.abort(key, other.id);
      return ended === "exists" ? { stored: "exists", etag } : { stored: "new", etag: ended.etag };
    }
    if (tried === tries)
      throw new Error(`The upload of ${key} to ${bucket.place} was ended by another ${tries} times; run the experiment again.`);
  }
}

interface Wanted {
  readonly size: number;
  /** Of the parts, in order. */
  readonly md5s: readonly string[];
}

async function begunOrNew({ bucket, key, bytes }: Upload, wanted: Wanted): Promise<{ id: string; there: readonly Part[] }> {
  for (const upload of await bucket.uploads.open(key)) {
    const there = await bucket.uploads.parts(key, upload.id);
    if (there === null) continue;
    if (there.every((part) => fits(part, bytes, wanted))) return { id: upload.id, there };
    if (isStale(upload)) await bucket.uploads.abort(key, upload.id);
  }
  return { id: await bucket.uploads.begin(key), there: [] };
}

function fits({ number, etag, bytes }: Part, all: number, { size, md5s }: Wanted): boolean {
  return etag === `"${md5s[number - 1]}"` && bytes === Math.min(size, all - (number - 1) * size);
}

const isStale = ({ begun }: OpenUpload) => Date.now() - begun.getTime() > staleMs;

/** Bytes of a part: as few as the number of parts allows. */
export function partSize(bytes: number): number {
  return Math.max(leastPartBytes, Math.ceil(bytes / mostParts / MiB) * MiB);
}

async function md5sOf(upload: Upload, size: number, count: number): Promise<readonly string[]> {
  const md5s: string[] = [];
  const hash = createHash("sha256");
  for (let number = 1; number <= count; number += 1) {
    const part = await readPart(upload, number, size);
    hash.update(part);
    md5s.push(md5Of(part));
  }
  if (hash.digest("hex") !== upload.sha256) throw changed(upload);
  return md5s;
}

const md5Of = (content: Uint8Array) => createHash("md5").update(content).digest("hex");

const changed = ({ key }: Upload) => new Error(`The file for ${key} changed while it was stored.`);

async function readPart(upload: Upload, number: number, size: number): Promise<Buffer> {
  const { source, bytes } = upload;
  const from = (number - 1) * size;
  const part = Buffer.allocUnsafe(Math.min(size, bytes - from));
  for (let filled = 0; filled < part.length;) {
    const { bytesRead } = await source.read(part, filled, part.length - filled, from + filled);
    if (bytesRead === 0) throw changed(upload);
    filled += bytesRead;
  }
  return part;
}
