import { createHash } from "node:crypto";
import type { Readable } from "node:stream";
import { setTimeout as sleep } from "node:timers/promises";
import type { S3 } from "@aws-sdk/client-s3";
import { withRoom } from "../no-room.ts";
import { patiently } from "./patience.ts";
import { isConflict, isFull, isMissing, isRefused, statusOf } from "./problem.ts";
import { type Uploads, uploadsOf } from "./uploads.ts";

interface Head {
  readonly etag: string;
  readonly bytes: number;
  readonly metadata: Readonly<Record<string, string>>;
}

interface Listed {
  readonly key: string;
  readonly etag: string;
  readonly bytes: number;
}

interface PutOptions {
  /** Only where there is no object, or only over the one with this ETag; absent: in any case. */
  readonly when?: "absent" | { readonly etag: string };
  readonly metadata?: Readonly<Record<string, string>>;
}

/** Objects below one prefix of a bucket; keys are relative to it. Requests are repeated by the client where that is safe. */
export interface Bucket {
  /** `s3://bucket/prefix`. */
  readonly place: string;
  head(key: string): Promise<Head | null>;
  /** A small object; null: it is not there. */
  read(key: string): Promise<{ readonly body: Buffer; readonly etag: string } | null>;
  /** From byte `from` on; null: it is not there, "changed": it has another ETag by now. */
  stream(
    key: string,
    from: number,
    etag: string | null,
  ): Promise<{ readonly body: Readable; readonly etag: string } | "changed" | null>;
  /** The new ETag; null: the condition does not hold. After a lost reply that can mean that this very write was stored. */
  put(key: string, body: Uint8Array, options?: PutOptions): Promise<string | null>;
  /** In byte order of the keys, page after page; `after` is a key to begin behind. */
  list(prefix: string, after?: string): AsyncIterable<Listed>;
  /** Names of the folders right below `prefix`, which ends with a slash. */
  folders(prefix: string): Promise<readonly string[]>;
  remove(key: string): Promise<void>;
  readonly uploads: Uploads;
  close(): void;
}

const conflictTries = 10;
const readTries = 4;

export function bucketOf(s3: S3, { bucket, prefix }: { readonly bucket: string; readonly prefix: string }): Bucket {
  const root = prefix === "" ? "" : `${prefix}/`;
  const at = (key: string) => ({ Bucket: bucket, Key: `${root}${key}` });
  const place = `s3://${bucket}${prefix === "" ? "" : `/${prefix}`}`;
  const written = <T>(key: string, write: () => Promise<T>): Promise<T> => withRoom(`Object ${key}`, place, write, isFull);
  const uploads = uploadsOf(s3, at);

  const stream: Bucket["stream"] = async (key, from, etag) => {
    try {
      const { Body, ETag = "" } = await patiently(() =>
        s3.getObject({
          ...at(key),
          ...(from === 0 ? {} : { Range: `bytes=${from}-` }),
          ...(etag === null ? {} : { IfMatch: etag }),
        }),
      );
      return { body: Body as Readable, etag: ETag };
    } catch (error) {
      if (isMissing(error)) return null;
      // 416: it is shorter now.
      if (isRefused(error) || statusOf(error) === 416) return "changed";
      throw error;
    }
  };

  const pages = async function* (prefix: string, { after, delimiter }: { after?: string | undefined; delimiter?: "/" }) {
    let token: string | undefined;
    do {
      const page = await patiently(() =>
        s3.listObjectsV2({
          Bucket: bucket,
          Prefix: `${root}${prefix}`,
          ...(delimiter === undefined ? {} : { Delimiter: delimiter }),
          ...(token === undefined ? {} : { ContinuationToken: token }),
          ...(after === undefined || token !== undefined ? {} : { StartAfter: `${root}${after}` }),
        }),
      );
      yield page;
      token = page.IsTruncated === true ? page.NextContinuationToken : undefined;
    } while (token !== undefined);
  };

  return {
    place,
    head: async (key) => {
      try {
        const { ETag = "", ContentLength = 0, Metadata = {} } = await patiently(() => s3.headObject(at(key)));
        return { etag: ETag, bytes: ContentLength, metadata: Metadata };
      } catch (error) {
        if (isMissing(error)) return null;
        throw error;
      }
    },
    read: async (key) => {
      for (let tries = 1; ; tries += 1) {
        const found = await stream(key, 0, null);
        if (found === null || found === "changed") return null;
        try {
          return { body: Buffer.concat(await found.body.toArray()), etag: found.etag };
        } catch (error) {
          // The client repeats a request, but not the body that broke off.
          if (tries === readTries) throw error;
          await sleep(100 * 2 ** tries * Math.random());
        }
      }
    },
    stream,
    put: async (key, body, { when, metadata } = {}) => {
      const condition = when === undefined ? {} : when === "absent" ? { IfNoneMatch: "*" } : { IfMatch: when.etag };
      for (let tries = 1; ; tries += 1) {
        try {
          const { ETag = "" } = await written(key, () =>
            patiently(() =>
              s3.putObject({
                ...at(key),
                ...condition,
                Body: body,
                // The server refuses a body that was altered on the way.
                ContentMD5: createHash("md5").update(body).digest("base64"),
                ...(metadata === undefined ? {} : { Metadata: { ...metadata } }),
              }),
            ),
          );
          return ETag;
        } catch (error) {
          if (isRefused(error)) return null;
          // A condition on an object that is gone.
          if (typeof when === "object" && isMissing(error)) return null;
          if (!isConflict(error) || tries === conflictTries) throw error;
          await sleep(50 * tries * Math.random());
        }
      }
    },
    list: async function* (prefix, after) {
      for await (const { Contents = [] } of pages(prefix, { after }))
        for (const { Key = "", ETag = "", Size = 0 } of Contents) yield { key: Key.slice(root.length), etag: ETag, bytes: Size };
    },
    folders: async (prefix) => {
      const names: string[] = [];
      for await (const { CommonPrefixes = [] } of pages(prefix, { delimiter: "/" }))
        for (const { Prefix = "" } of CommonPrefixes) names.push(Prefix.slice(root.length + prefix.length, -1));
      return names;
    },
    remove: async (key) => {
      await patiently(() => s3.deleteObject(at(key)));
    },
    uploads: {
      ...uploads,
      begin: (key) => written(key, () => uploads.begin(key)),
      put: (key, ...part) => written(key, () => uploads.put(key, ...part)),
      complete: (key, ...parts) => written(key, () => uploads.complete(key, ...parts)),
    },
    close: () => s3.destroy(),
  };
}
