import { StoreError } from "../store-error.ts";

/** What is read of an error of the S3 client. */
interface ServiceError {
  readonly name?: string;
  readonly code?: string;
  readonly message?: string;
  readonly $metadata?: { readonly httpStatusCode?: number };
}

export const statusOf = (error: unknown): number | null => (error as ServiceError).$metadata?.httpStatusCode ?? null;

/** The object, or what was asked for, is not there; a missing bucket is another thing. */
export function isMissing(error: unknown): boolean {
  const { name } = error as ServiceError;
  return (
    name === "NoSuchKey" || name === "NotFound" || (statusOf(error) === 404 && name !== "NoSuchBucket" && name !== "NoSuchUpload")
  );
}

export const isNoUpload = (error: unknown): boolean => (error as ServiceError).name === "NoSuchUpload";

/** A part that was named is not there, or has other content by now. */
export const isInvalidPart = (error: unknown): boolean => (error as ServiceError).name === "InvalidPart";

/** A condition of the request did not hold. */
export const isRefused = (error: unknown): boolean => statusOf(error) === 412;

/** Another conditional write of the object was under way: the same request must be sent again. */
export const isConflict = (error: unknown): boolean => statusOf(error) === 409;

const network = new Set([
  "ECONNREFUSED",
  "ENOTFOUND",
  "EAI_AGAIN",
  "ECONNRESET",
  "EHOSTUNREACH",
  "ENETUNREACH",
  "ETIMEDOUT",
  "EPIPE",
  "TimeoutError",
  "AbortError",
]);

const full = new Set(["XMinioStorageFull", "XMinioAdminBucketQuotaExceeded", "QuotaExceeded"]);

/** The server's disks, or the bucket's share of them, are full: a person must see to it. */
export const isFull = (error: unknown): boolean => statusOf(error) === 507 || full.has((error as ServiceError).name ?? "");

/** The same request may well succeed a little later. */
export function isPassing(error: unknown): boolean {
  const { name = "", code = "" } = error as ServiceError;
  const status = statusOf(error) ?? 0;
  if (isFull(error)) return false;
  return (
    (status >= 500 && status !== 501) || status === 429 || name === "RequestTimeout" || network.has(code) || network.has(name)
  );
}

const credentials = new Set([
  "CredentialsProviderError",
  "InvalidAccessKeyId",
  "SignatureDoesNotMatch",
  "ExpiredToken",
  "InvalidToken",
  "RequestTimeTooSkewed",
]);

/** One sentence with the remedy for what a first look at a bucket came to. */
export function openProblem(error: unknown, { bucket, endpoint }: { bucket: string; endpoint: string | undefined }): StoreError {
  const { name = "", code = "", message = "" } = error as ServiceError;
  const where = endpoint ?? "AWS";
  const say = (what: string) => new StoreError("precheck", what, error);
  if (name === "NoSuchBucket" || statusOf(error) === 404)
    return say(`Bucket ${bucket}, which ATTUNE_STORE names, is not there at ${where}: create it, or correct ATTUNE_STORE.`);
  if (network.has(code) || network.has(name))
    return say(
      `No S3 server answers at ${where} (${code === "" ? name : code}): start it, or correct AWS_ENDPOINT_URL_S3, which is for the bucket ${bucket} of ATTUNE_STORE.`,
    );
  if (credentials.has(name))
    return say(
      `The credentials for bucket ${bucket} at ${where} are missing or wrong (${name}): set AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY, or AWS_PROFILE.`,
    );
  if (statusOf(error) === 403)
    return say(
      `Bucket ${bucket} at ${where} refuses these credentials (${name}): they need the permissions that docs/storage.md lists, or ATTUNE_STORE names another's bucket.`,
    );
  if (statusOf(error) === 301 || /region/i.test(name + message))
    return say(`Bucket ${bucket} is in another region, or none is set: set AWS_REGION to the bucket's.`);
  return say(
    `Bucket ${bucket} at ${where} can't be used: ${name === "" ? "" : `${name}: `}${message}. See that ATTUNE_STORE and the AWS_ variables are right.`,
  );
}
