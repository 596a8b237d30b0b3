import { StoreError } from "../store-error.ts";

type Env = Readonly<Record<string, string | undefined>>;

/** Where runs' facts and files lie: below the data directory, or below a prefix of an S3 bucket. */
export type StoreAddress =
  { readonly kind: "local"; readonly home: string } | { readonly kind: "s3"; readonly bucket: string; readonly prefix: string };

const bucketName = /^[a-z0-9][a-z0-9.-]{1,61}[a-z0-9]$/;
const prefixForm = /^(?:[A-Za-z0-9_][A-Za-z0-9._=@-]*(?:\/[A-Za-z0-9_][A-Za-z0-9._=@-]*)*)?$/;

/**
 * What ATTUNE_STORE says; without it files are local.
 * @throws StoreError when it is no `s3://bucket/prefix`
 */
export function storeAddress(env: Env, home: string): StoreAddress {
  const written = env["ATTUNE_STORE"];
  if (written === undefined || written === "") return { kind: "local", home };
  const [, bucket = "", rest = ""] = /^s3:\/\/([^/]+)(?:\/(.*))?$/.exec(written) ?? [];
  const prefix = rest.replace(/\/$/, "");
  if (!bucketName.test(bucket) || !prefixForm.test(prefix) || prefix.length > 200) {
    // The value is not repeated as it is: it may be a URL with a key in it.
    throw new StoreError(
      "address",
      `ATTUNE_STORE is ${JSON.stringify(written.replace(/\/\/[^@/]*@/, "//…@").slice(0, 80))}; write s3://bucket/prefix, or unset it to keep everything in the data directory. Keys and endpoint have variables of their own (docs/storage.md).`,
    );
  }
  return { kind: "s3", bucket, prefix };
}

/** How people name the place of an artifact: a path, or an s3:// uri. */
export function artifactPlace(address: StoreAddress, uri: string): string {
  return `${storePlace(address)}/artifacts/${uri}`;
}

export function storePlace(address: StoreAddress): string {
  if (address.kind === "local") return address.home;
  return address.prefix === "" ? `s3://${address.bucket}` : `s3://${address.bucket}/${address.prefix}`;
}
