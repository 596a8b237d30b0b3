import { randomUUID } from "node:crypto";
import { StoreError } from "../store-error.ts";
import type { Bucket } from "./bucket.ts";
import { statusOf } from "./problem.ts";

/**
 * Whether the server keeps what the stores rest on: that a put on a condition which does not hold is refused. Leaves nothing.
 * @throws StoreError when it does not, or a permission is missing
 */
export async function probeConditions(bucket: Bucket): Promise<void> {
  const key = `probe/${randomUUID()}`;
  const put = (text: string, when: "absent" | { readonly etag: string }) => bucket.put(key, Buffer.from(text), { when });
  const needRefused = (etag: string | null, condition: string) => {
    if (etag === null) return;
    throw new StoreError(
      "precheck",
      `The S3 server behind ${bucket.place} ignores conditional puts (${condition}), so two workers could overwrite each other's records: use a server that honours them (docs/storage.md).`,
    );
  };
  try {
    const first = await put("first", "absent");
    if (first === null) throw new StoreError("precheck", `The S3 server behind ${bucket.place} refuses to put a new object.`);
    needRefused(await put("second", "absent"), "If-None-Match: *");
    const second = await put("second", { etag: first });
    if (second === null)
      throw new StoreError(
        "precheck",
        `The S3 server behind ${bucket.place} refuses a put over the version that is there (If-Match).`,
      );
    needRefused(await put("third", { etag: first }), "If-Match");
    if ((await bucket.read(key))?.body.toString() !== "second")
      throw new StoreError(
        "precheck",
        `The S3 server behind ${bucket.place} does not give back what was put last: it must be consistent.`,
      );
    await bucket.remove(key);
  } catch (error) {
    if (error instanceof StoreError) throw error;
    const message = error instanceof Error ? `${error.name}: ${error.message}` : String(error);
    throw new StoreError(
      "precheck",
      statusOf(error) === 403
        ? `These credentials may not write, read and remove objects below ${bucket.place} (${message}): give them the permissions that docs/storage.md lists.`
        : `Objects below ${bucket.place} can't be written: ${message}.`,
      error,
    );
  }
}
