import { createHash, randomUUID } from "node:crypto";
import { mkdir, open, rename, rm } from "node:fs/promises";
import { basename, dirname, join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import type { Ref } from "../../contract/ref.ts";
import { withRoom } from "../no-room.ts";
import type { Bucket } from "../s3/bucket.ts";
import { digestFile, mismatch } from "./digests.ts";
import { removeOldParts } from "./parts.ts";

/** Broken connections in a row, with not a byte between them, after which a download is given up. */
const stallsToGiveUp = 5;

interface Sink {
  take(chunk: Buffer): Promise<void> | void;
  /** The object was replaced in the middle: all begins again. */
  restart(): Promise<void> | void;
}

/** Streams an object, going on at the byte where a connection broke; answers its ETag, or null when it is not there. */
async function stream(bucket: Bucket, key: string, sink: Sink): Promise<string | null> {
  let [from, stalls, etag]: [number, number, string | null] = [0, 0, null];
  for (;;) {
    const found = await bucket.stream(key, from, etag);
    if (found === null) return null;
    if (found === "changed") {
      [from, etag] = [0, null];
      await sink.restart();
      continue;
    }
    etag = found.etag;
    const chunks = found.body[Symbol.asyncIterator]() as AsyncIterator<Buffer>;
    try {
      for (;;) {
        const next = await chunks.next().catch((error: unknown) => ({ broken: error }));
        if ("broken" in next) {
          stalls += 1;
          if (stalls === stallsToGiveUp) throw next.broken;
          break;
        }
        if (next.done === true) return etag;
        stalls = 0;
        from += next.value.length;
        await sink.take(next.value);
      }
    } finally {
      found.body.destroy();
    }
    await sleep(100 * 2 ** stalls * Math.random());
  }
}

/** Digest of an object's content and its ETag; null when it is not there. */
export async function digestObject(bucket: Bucket, key: string): Promise<{ sha256: string; etag: string } | null> {
  let hash = createHash("sha256");
  const etag = await stream(bucket, key, {
    take: (chunk) => void hash.update(chunk),
    restart: () => void (hash = createHash("sha256")),
  });
  return etag === null ? null : { sha256: hash.digest("hex"), etag };
}

/** Copies of objects below `folder`, by digest and under their own names; one that is there is used if its digest holds. */
export function downloads(bucket: Bucket, folder: string) {
  const running = new Map<string, Promise<string>>();

  const fetch = async (key: string, { uri, sha256 }: Ref): Promise<string> => {
    const file = join(folder, sha256, basename(uri));
    if ((await digestFile(file)) === sha256) return file;
    await mkdir(dirname(file), { recursive: true });
    await removeOldParts(dirname(file));
    // Of its own name: two processes may fetch the same.
    const part = `${file}.${randomUUID()}.part`;
    const handle = await open(part, "wx");
    try {
      let hash = createHash("sha256");
      const etag = await stream(bucket, key, {
        take: async (chunk) => {
          hash.update(chunk);
          await handle.writeFile(chunk);
        },
        restart: async () => {
          hash = createHash("sha256");
          await handle.truncate(0);
        },
      });
      const found = etag === null ? null : hash.digest("hex");
      if (found !== sha256) throw mismatch(uri, found, sha256);
      await handle.sync();
      await rename(part, file);
      return file;
    } finally {
      await handle.close();
      await rm(part, { force: true });
    }
  };

  return {
    /** @throws DigestMismatchError, NoRoomError */
    file: (key: string, ref: Ref): Promise<string> => {
      const name = `${ref.sha256}/${basename(ref.uri)}`;
      const there = running.get(name);
      if (there !== undefined) return there;
      const copying = withRoom(`A copy of artifact ${ref.uri}`, folder, () => fetch(key, ref));
      const fetching = copying.finally(() => running.delete(name));
      running.set(name, fetching);
      return fetching;
    },
  };
}
