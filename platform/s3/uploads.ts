import { createHash } from "node:crypto";
import type { ListPartsCommandOutput, S3 } from "@aws-sdk/client-s3";
import { patiently } from "./patience.ts";
import { isConflict, isInvalidPart, isNoUpload, isRefused } from "./problem.ts";

/** An upload in parts that was begun and not ended. */
export interface OpenUpload {
  readonly id: string;
  readonly begun: Date;
}

export interface Part {
  readonly number: number;
  /** The MD5 of its content, in quotes, where the bucket does not encrypt with keys of its own. */
  readonly etag: string;
  readonly bytes: number;
}

export interface Uploads {
  begin(key: string): Promise<string>;
  /** Those of exactly this key, the newest first. */
  open(key: string): Promise<readonly OpenUpload[]>;
  /** null: the upload is no longer there. */
  parts(key: string, id: string): Promise<readonly Part[] | null>;
  /** null: the upload is no longer there. */
  put(key: string, id: string, number: number, body: Uint8Array): Promise<Part | null>;
  /** "exists": there is such an object by now; "gone": the upload is no longer there. */
  complete(key: string, id: string, parts: readonly Part[]): Promise<{ readonly etag: string } | "exists" | "gone">;
  abort(key: string, id: string): Promise<void>;
}

type At = (key: string) => { readonly Bucket: string; readonly Key: string };

export function uploadsOf(s3: S3, at: At): Uploads {
  return {
    begin: async (key) => {
      const { UploadId } = await patiently(() => s3.createMultipartUpload(at(key)));
      if (UploadId === undefined) throw new Error(`The S3 server began no upload of ${key}: its answer names none`);
      return UploadId;
    },
    open: async (key) => {
      const { Bucket, Key } = at(key);
      // Of all keys that begin like this one it is the first, so the first page has all of its uploads.
      const { Uploads = [] } = await patiently(() => s3.listMultipartUploads({ Bucket, Prefix: Key }));
      const found = Uploads.filter((upload) => upload.Key === Key).map(({ UploadId = "", Initiated = new Date(0) }) => ({
        id: UploadId,
        begun: Initiated,
      }));
      return found.toSorted((a, b) => b.begun.getTime() - a.begun.getTime());
    },
    parts: async (key, id) => {
      const found: Part[] = [];
      let marker: string | undefined;
      try {
        do {
          const page: ListPartsCommandOutput = await patiently(() =>
            s3.listParts({
              ...at(key),
              UploadId: id,
              ...(marker === undefined ? {} : { PartNumberMarker: marker }),
            }),
          );
          for (const { PartNumber = 0, ETag = "", Size = 0 } of page.Parts ?? [])
            found.push({ number: PartNumber, etag: ETag, bytes: Size });
          marker = page.IsTruncated === true ? page.NextPartNumberMarker : undefined;
        } while (marker !== undefined);
        return found;
      } catch (error) {
        if (isNoUpload(error)) return null;
        throw error;
      }
    },
    put: async (key, id, number, body) => {
      try {
        const { ETag = "" } = await patiently(() =>
          s3.uploadPart({
            ...at(key),
            UploadId: id,
            PartNumber: number,
            Body: body,
            ContentMD5: createHash("md5").update(body).digest("base64"),
          }),
        );
        return { number, etag: ETag, bytes: body.byteLength };
      } catch (error) {
        if (isNoUpload(error)) return null;
        throw error;
      }
    },
    complete: async (key, id, parts) => {
      try {
        const { ETag = "" } = await patiently(() =>
          s3.completeMultipartUpload({
            ...at(key),
            UploadId: id,
            IfNoneMatch: "*",
            MultipartUpload: { Parts: parts.map(({ number, etag }) => ({ PartNumber: number, ETag: etag })) },
          }),
        );
        return { etag: ETag };
      } catch (error) {
        if (isRefused(error)) return "exists";
        // Another ended it, put other content in it, or was just storing this key: it is begun anew.
        if (isNoUpload(error) || isInvalidPart(error) || isConflict(error)) return "gone";
        throw error;
      }
    },
    abort: async (key, id) => {
      await patiently(() => s3.abortMultipartUpload({ ...at(key), UploadId: id })).catch((error: unknown) => {
        if (!isNoUpload(error)) throw error;
      });
    },
  };
}
