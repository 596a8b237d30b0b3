import { type ChildProcess, spawn } from "node:child_process";
import { randomUUID } from "node:crypto";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { fileURLToPath } from "node:url";
import { S3 } from "@aws-sdk/client-s3";
import { afterAll, beforeAll, onTestFinished } from "vitest";
import { type Bucket } from "../../platform/s3/bucket.ts";
import { openBucket } from "../../platform/s3/open.ts";
import { projectRoot } from "./attune.ts";

/** A bucket of a test's own, and the environment that names it. */
export interface TestBucket {
  readonly name: string;
  readonly env: Readonly<Record<string, string>>;
}

/** A real S3 server for the tests of a file. */
export function s3ServerOfFile(host = "127.0.0.1") {
  let child: ChildProcess;
  let endpoint = "";
  const keys = { AWS_REGION: "eu-test-1", AWS_ACCESS_KEY_ID: "test", AWS_SECRET_ACCESS_KEY: "canary-secret" };

  beforeAll(async () => {
    const python = join(process.env["ATTUNE_HOME"] ?? join(projectRoot, ".attune"), "venv", "bin", "python");
    const program = fileURLToPath(new URL("./s3_server.py", import.meta.url));
    // Its input ends with this process, so that none is left behind.
    child = spawn(python, ["-B", program, host], { stdio: ["pipe", "pipe", "inherit"] });
    const port = await new Promise<string>((resolve, reject) => {
      createInterface({ input: child.stdout! }).once("line", resolve);
      child.once("error", reject);
      child.once("exit", (code) =>
        reject(new Error(`The S3 server ended with ${code}: node bin/setup.mjs --dev installs what it needs`)),
      );
    });
    endpoint = `http://${host}:${port}`;
  });
  afterAll(() => void child.kill("SIGKILL"));

  return {
    endpoint: () => endpoint,
    /** A new bucket; `through` is the address of a proxy in front of the server. */
    bucket: async (through = endpoint): Promise<TestBucket> => {
      const name = `attune-${randomUUID()}`;
      const env = { ...keys, AWS_ENDPOINT_URL_S3: through, ATTUNE_STORE: `s3://${name}/some/prefix` };
      const s3 = new S3({
        endpoint,
        region: keys.AWS_REGION,
        forcePathStyle: true,
        credentials: { accessKeyId: keys.AWS_ACCESS_KEY_ID, secretAccessKey: keys.AWS_SECRET_ACCESS_KEY },
      });
      await s3.createBucket({ Bucket: name });
      s3.destroy();
      return { name, env };
    },
  };
}

/** The objects of a test's bucket, closed with the test. */
export async function openTestBucket({ name, env }: TestBucket): Promise<Bucket> {
  const bucket = await openBucket({ bucket: name, prefix: "some/prefix", env });
  onTestFinished(() => bucket.close());
  return bucket;
}
