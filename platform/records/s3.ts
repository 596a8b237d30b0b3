import { randomUUID } from "node:crypto";
import type { Bucket } from "../s3/bucket.ts";
import { mapPool, requestWidth } from "../s3/pool.ts";
import type { Records, Stored } from "./records.ts";

/** An object's content. `write` tells a write whose reply was lost from another's, and gives equal values different ETags. */
interface Content {
  readonly write: string;
  readonly value: unknown;
}

const folder = "records/";
/** Below a server that keeps objects as files, `a` and `a/b` can't both be; `a.json` and `a/b.json` can. */
const suffix = ".json";

/** Values that `each` holds at once. */
const atOnce = 4 * requestWidth;

/** Records as objects: a compare-and-swap is a put on condition of the ETag that was read. */
export function s3Records(bucket: Bucket): Records {
  const read = async (key: string): Promise<{ content: Content; etag: string } | null> => {
    const found = await bucket.read(objectOf(key));
    return found === null ? null : { content: JSON.parse(found.body.toString("utf8")) as Content, etag: found.etag };
  };
  const get = async (key: string): Promise<Stored | null> => {
    const found = await read(key);
    return found === null ? null : { key, value: found.content.value, version: found.etag };
  };
  const put = async (key: string, value: unknown, expected: string | null): Promise<boolean> => {
    const write = randomUUID();
    const body = Buffer.from(JSON.stringify({ write, value } satisfies Content));
    const etag = await bucket.put(objectOf(key), body, { when: expected === null ? "absent" : { etag: expected } });
    // Refused may mean that an earlier try of this request was stored and only its reply was lost.
    return etag !== null || (await read(key))?.content.write === write;
  };
  const each = async function* (prefix: string): AsyncGenerator<Stored> {
    const keys: string[] = [];
    for await (const { key } of bucket.list(folder + encoded(prefix)))
      if (key.endsWith(suffix)) keys.push(decodeURIComponent(key.slice(folder.length, -suffix.length)));
    // The order of the objects is that of their encoded names.
    keys.sort((a, b) => (a < b ? -1 : 1));
    for (let at = 0; at < keys.length; at += atOnce) {
      const stored = await mapPool(keys.slice(at, at + atOnce), requestWidth, get);
      // One may have been removed since the list was made.
      yield* stored.filter((one) => one !== null);
    }
  };

  return {
    get,
    put,
    putFirst: async (key, value) => {
      for (;;) {
        const stored = await get(key);
        if (stored !== null) return stored.value;
        if (await put(key, value, null)) return value;
      }
    },
    list: (prefix) => Array.fromAsync(each(prefix)),
    each,
    remove: async (key) => bucket.remove(objectOf(key)),
    // The bucket is its opener's to close: other stores use it too.
    close: () => undefined,
  };
}

/** @throws when the key has an empty part, or one of dots alone, which servers and proxies resolve each in their own way */
function objectOf(key: string): string {
  if (key.split("/").some((part) => /^\.{0,2}$/.test(part)))
    throw new Error(`Record key ${JSON.stringify(key)} is not allowed: none of its parts may be empty or only dots`);
  return folder + encoded(key) + suffix;
}

const encoded = (key: string): string => key.split("/").map(encodeURIComponent).join("/");
