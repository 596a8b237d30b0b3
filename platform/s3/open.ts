import type { S3ClientConfig } from "@aws-sdk/client-s3";
import { type Bucket, bucketOf } from "./bucket.ts";
import { openProblem } from "./problem.ts";

type Env = Readonly<Record<string, string | undefined>>;

const connectMs = 5000;
/** A connection on which nothing moves for so long is given up, and the request is sent again. */
const idleMs = 30_000;
const firstLookMs = 20_000;
/** The client's own repeats, within a second; `patiently` goes on from there. */
const tries = 3;
/** Enough for a whole llm worker: its calls, its ledger and its artifacts beside each other. */
const sockets = 256;

/**
 * The objects below a prefix, after a first look at the bucket. Endpoint, region and credentials come from the AWS variables.
 * @throws StoreError naming what is wrong and what to do
 */
export async function openBucket({
  bucket,
  prefix,
  env,
}: {
  readonly bucket: string;
  readonly prefix: string;
  readonly env: Env;
}): Promise<Bucket> {
  const endpoint = given(env, "AWS_ENDPOINT_URL_S3") ?? given(env, "AWS_ENDPOINT_URL");
  try {
    // Loaded here, so that a run with local files never loads it.
    const { S3 } = await import("@aws-sdk/client-s3");
    const s3 = new S3(clientConfig(env, endpoint));
    await s3.listObjectsV2({ Bucket: bucket, Prefix: prefix, MaxKeys: 1 }, { abortSignal: AbortSignal.timeout(firstLookMs) });
    return bucketOf(s3, { bucket, prefix });
  } catch (error) {
    throw openProblem(error, { bucket, endpoint });
  }
}

function clientConfig(env: Env, endpoint: string | undefined): S3ClientConfig {
  const region =
    given(env, "AWS_REGION") ?? given(env, "AWS_DEFAULT_REGION") ?? (endpoint === undefined ? undefined : "us-east-1");
  const accessKeyId = given(env, "AWS_ACCESS_KEY_ID");
  const secretAccessKey = given(env, "AWS_SECRET_ACCESS_KEY");
  const sessionToken = given(env, "AWS_SESSION_TOKEN");
  const agent = { keepAlive: true, maxSockets: sockets };
  return {
    // A server of one's own answers at one name for all buckets.
    ...(endpoint === undefined ? {} : { endpoint, forcePathStyle: true }),
    ...(region === undefined ? {} : { region }),
    // Without keys the client looks where AWS's tools do: profile, role of the machine.
    ...(accessKeyId === undefined || secretAccessKey === undefined
      ? {}
      : { credentials: { accessKeyId, secretAccessKey, ...(sessionToken === undefined ? {} : { sessionToken }) } }),
    retryMode: "standard",
    maxAttempts: tries,
    // Bodies carry their MD5, and every artifact is checked by its SHA-256; not every server knows the newer checksums.
    requestChecksumCalculation: "WHEN_REQUIRED",
    responseChecksumValidation: "WHEN_REQUIRED",
    requestHandler: { connectionTimeout: connectMs, socketTimeout: idleMs, httpAgent: agent, httpsAgent: agent },
  };
}

function given(env: Env, name: string): string | undefined {
  const value = env[name];
  return value === "" ? undefined : value;
}
