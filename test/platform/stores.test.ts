import { expect, it } from "vitest";
import { openStores } from "../../platform/stores.ts";
import { s3ServerOfFile } from "../support/s3.ts";
import { s3Proxy } from "../support/s3-proxy.ts";
import { openStoresOf } from "../support/stores.ts";
import { tempFolder } from "../support/temp-folder.ts";

const server = s3ServerOfFile();

it.each([
  "s3:/bucket",
  "bucket",
  "s3://",
  "s3://B_/x",
  "https://key:canary-secret@host/bucket",
  "s3://bucket/../x",
  "s3://bucket/a//b",
])("refuses ATTUNE_STORE=%s and says what to write", async (value) => {
  const opening = openStores({ env: { ATTUNE_STORE: value }, home: tempFolder() });
  await expect(opening).rejects.toMatchObject({ name: "StoreError", kind: "address" });
  await expect(opening).rejects.toThrow(/ATTUNE_STORE is .*write s3:\/\/bucket\/prefix/);
  await expect(opening).rejects.not.toThrow(/canary/);
});

it("names a bucket that is not there, and a server that does not answer", async () => {
  const { env } = await server.bucket();
  const home = tempFolder();
  await expect(openStores({ env: { ...env, ATTUNE_STORE: "s3://no-such-bucket" }, home })).rejects.toThrow(
    /Bucket no-such-bucket, which ATTUNE_STORE names, is not there .*create it/,
  );
  const nobody = { ...env, AWS_ENDPOINT_URL_S3: "http://127.0.0.1:9" };
  await expect(openStores({ env: nobody, home })).rejects.toThrow(
    /No S3 server answers at http:\/\/127\.0\.0\.1:9 .*AWS_ENDPOINT_URL_S3/,
  );
});

it("names refused credentials without showing them", async () => {
  const refusing = await s3Proxy(server.endpoint(), () => "403");
  const { env } = await server.bucket(refusing.url);
  const opening = openStores({ env, home: tempFolder() });
  await expect(opening).rejects.toThrow(/refuses these credentials .*permissions/);
  await expect(opening).rejects.not.toThrow(/canary/);
});

it("checks that conditional puts are honoured, and refuses a server that ignores them", async () => {
  const { env } = await server.bucket();
  await (await openStoresOf({ ATTUNE_HOME: tempFolder(), ...env })).check();
  for (const ignored of ["if-none-match", "if-match"]) {
    const ignoring = await s3Proxy(server.endpoint(), ({ headers }) => (ignored in headers ? "unconditional" : "pass"));
    const behind = await server.bucket(ignoring.url);
    const stores = await openStoresOf({ ATTUNE_HOME: tempFolder(), ...behind.env });
    await expect(stores.check()).rejects.toThrow(/ignores conditional puts .*docs\/storage\.md/);
  }
});

it("says which permission is missing when it may read and not write", async () => {
  const readOnly = await s3Proxy(server.endpoint(), ({ method }) => (method === "PUT" ? "403" : "pass"));
  const { env } = await server.bucket(readOnly.url);
  const stores = await openStoresOf({ ATTUNE_HOME: tempFolder(), ...env });
  await expect(stores.check()).rejects.toThrow(/may not write, read and remove .*permissions/);
});
