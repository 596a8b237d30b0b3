import { createHash } from "node:crypto";
import { readFileSync, writeFileSync } from "node:fs";
import { readdir, stat } from "node:fs/promises";
import { join } from "node:path";
import { expect, it, vi } from "vitest";
import { partSize } from "../../../platform/artifacts/upload.ts";
import { runFixture, startFixture } from "../../support/processes.ts";
import { openTestBucket, s3ServerOfFile } from "../../support/s3.ts";
import { type Fate, type Seen, s3Proxy } from "../../support/s3-proxy.ts";
import { openStoresOf } from "../../support/stores.ts";
import { tempFolder } from "../../support/temp-folder.ts";

const server = s3ServerOfFile();
const MiB = 1024 * 1024;
const uri = "adapters/a/weights.safetensors";

/** Four parts: three whole ones and a rest. */
const content = Buffer.concat(Array.from({ length: 4 }, (_, n) => Buffer.alloc(n === 3 ? 1000 : 8 * MiB, `part ${n} `)));
const sha256 = createHash("sha256").update(content).digest("hex");

const numberOf = ({ path }: Seen) => Number(/partNumber=(\d+)/.exec(path)?.[1]);
const isPart = ({ method, path }: Seen) => method === "PUT" && path.includes("partNumber=");
const isDownload = ({ method, path }: Seen) => method === "GET" && path.includes("weights.safetensors?x-id=GetObject");

/** A bucket behind a proxy, its artifacts, and a local file with the content. */
async function bench(fate: (seen: Seen) => Fate = () => "pass") {
  const proxy = await s3Proxy(server.endpoint(), fate);
  const test = await server.bucket(proxy.url);
  const home = tempFolder();
  const file = join(home, "weights");
  writeFileSync(file, content);
  const env = { ATTUNE_HOME: home, ...test.env };
  const bucket = await openTestBucket({ ...test, env: { ...test.env, AWS_ENDPOINT_URL_S3: server.endpoint() } });
  return { ...(await openStoresOf(env)), home, env, file, bucket, proxy };
}

it("stores a large file in parts and gives it back; the same file again is not sent again", async () => {
  const { artifacts, file, proxy, home } = await bench();
  const ref = await artifacts.putFile(uri, file);
  expect(ref).toEqual({ uri, sha256, bytes: content.length, rows: null });
  expect(proxy.seen.filter(isPart).length).toBe(4);
  expect(await artifacts.putFile(uri, file)).toEqual(ref);
  expect(proxy.seen.filter(isPart).length).toBe(4);
  // What this process has stored is not fetched to be verified.
  expect(await artifacts.verify(ref)).toBe(true);
  expect(proxy.seen.filter(isDownload).length).toBe(0);
  const path = await artifacts.localPath(ref);
  expect(readFileSync(path).equals(content)).toBe(true);
  expect(path.startsWith(join(home, "cache", "artifacts"))).toBe(true);
  await Promise.all([artifacts.localPath(ref), artifacts.localPath(ref)]);
  expect(proxy.seen.filter(isDownload).length).toBe(1);
  writeFileSync(file, Buffer.concat([content, Buffer.from("more")]));
  await expect(artifacts.putFile(uri, file)).rejects.toThrow(/exists with other content/);
});

it("goes on with an upload that broke off, and sends no part twice that is there", async () => {
  let broken = true;
  const sent: number[] = [];
  const { artifacts, file, bucket } = await bench((seen) => {
    if (!isPart(seen)) return "pass";
    const number = numberOf(seen);
    if (broken && number > 2) return "403";
    sent.push(number);
    return "pass";
  });
  await expect(artifacts.putFile(uri, file)).rejects.toThrow();
  expect(await artifacts.exists(uri)).toBe(false);
  broken = false;
  sent.length = 0;
  const ref = await artifacts.putFile(uri, file);
  expect(sent.toSorted()).toEqual([3, 4]);
  expect(await bucket.uploads.open(`artifacts/${uri}`)).toEqual([]);
  expect(readFileSync(await artifacts.localPath(ref)).equals(content)).toBe(true);
});

it("goes on in a new process with the upload of one that was killed, and sends the missing parts alone", async () => {
  const sent: number[] = [];
  let killed = false;
  const { artifacts, file, bucket, env } = await bench((seen) => {
    if (!isPart(seen)) return "pass";
    sent.push(numberOf(seen));
    return !killed && numberOf(seen) > 2 ? "hold" : "pass";
  });
  const key = `artifacts/${uri}`;
  const there = async () => {
    const [upload, ...others] = await bucket.uploads.open(key);
    expect(others).toEqual([]);
    return upload === undefined ? [] : ((await bucket.uploads.parts(key, upload.id)) ?? []).map(({ number }) => number);
  };
  const child = startFixture("platform/upload-file.ts", [uri, file], env);
  const ended = new Promise((resolve) => child.once("exit", (_, signal) => resolve(signal)));
  await vi.waitFor(
    async () =>
      expect([await there(), sent.toSorted()]).toEqual([
        [1, 2],
        [1, 2, 3, 4],
      ]),
    20_000,
  );
  child.kill("SIGKILL");
  expect(await ended).toBe("SIGKILL");
  killed = true;
  expect([await there(), await artifacts.exists(uri)]).toEqual([[1, 2], false]);
  sent.length = 0;
  const ref = { uri, sha256, bytes: content.length, rows: null };
  expect(JSON.parse(await runFixture("platform/upload-file.ts", [uri, file], env))).toEqual(ref);
  expect(sent.toSorted()).toEqual([3, 4]);
  expect(await bucket.uploads.open(key)).toEqual([]);
  expect(readFileSync(await artifacts.localPath(ref)).equals(content)).toBe(true);
});

it("does not go on with an upload of other content, and ends it when the name is taken", async () => {
  const { artifacts, file, bucket } = await bench();
  const key = `artifacts/${uri}`;
  const id = await bucket.uploads.begin(key);
  await bucket.uploads.put(key, id, 1, Buffer.alloc(8 * MiB, "other"));
  const ref = await artifacts.putFile(uri, file);
  expect(readFileSync(await artifacts.localPath(ref)).equals(content)).toBe(true);
  expect(await bucket.uploads.open(key)).toEqual([]);
});

it("lets one of several uploads of a name be stored, and tells the others", async () => {
  const { artifacts, file, env } = await bench();
  const other = await openStoresOf({ ...env, ATTUNE_HOME: tempFolder() });
  const [one, two] = await Promise.all([artifacts.putFile(uri, file), other.artifacts.putFile(uri, file)]);
  expect(one).toEqual(two);
  expect(await other.artifacts.verify(one)).toBe(true);
});

it("takes a large list of rows, and its store is safe from a reply that is lost at the end of the upload", async () => {
  let lost = 0;
  const { artifacts } = await bench(({ method, path }) => {
    const isEnd = method === "POST" && path.includes("uploadId=");
    return isEnd && lost++ === 0 ? "lose" : "pass";
  });
  const text = "x".repeat(1000);
  const rows = function* () {
    for (let n = 0; n < 18_000; n += 1) yield { n, text };
  };
  const ref = await artifacts.putLines("rows.jsonl", rows());
  expect(lost).toBeGreaterThan(1);
  expect(ref.rows).toBe(18_000);
  expect(await artifacts.verify(ref)).toBe(true);
  expect(await artifacts.putLines("rows.jsonl", rows())).toEqual(ref);
});

it("goes on with a download where its connection broke", async () => {
  let cuts = 0;
  const { artifacts, file, proxy } = await bench((seen) => (isDownload(seen) && cuts++ < 2 ? { cutAfter: 5 * MiB } : "pass"));
  const ref = await artifacts.putFile(uri, file);
  expect(readFileSync(await artifacts.localPath(ref)).equals(content)).toBe(true);
  const starts = proxy.seen
    .filter(isDownload)
    .map(({ headers }) => Number(/^bytes=(\d+)-$/.exec(headers.range ?? "bytes=0-")?.[1]));
  expect(starts.length).toBe(3);
  // What was on its way when the connection broke is asked for again.
  for (const [n, start] of starts.entries()) expect(start).toBeGreaterThanOrEqual(n * 4.5 * MiB);
});

it("mends a copy that was altered, and leaves no half of one", async () => {
  const { artifacts, file, home, proxy } = await bench();
  const ref = await artifacts.putFile(uri, file);
  const path = await artifacts.localPath(ref);
  writeFileSync(path, "altered");
  expect((await stat(await artifacts.localPath(ref))).size).toBe(content.length);
  expect(proxy.seen.filter(isDownload).length).toBe(2);
  expect(await readdir(join(home, "cache", "artifacts", sha256))).toEqual(["weights.safetensors"]);
});

it("asks again when the server is busy", async () => {
  let busy = 0;
  const { artifacts } = await bench(({ method }) => (method === "PUT" && busy++ < 3 ? "503" : "pass"));
  const ref = await artifacts.put("a/b", "content");
  expect(busy).toBe(4);
  expect(await artifacts.verify(ref)).toBe(true);
});

it("keeps to the server's 10,000 parts", () => {
  expect(partSize(20 * MiB)).toBe(8 * MiB);
  for (const bytes of [80_000 * MiB, 80_001 * MiB, 500_000 * MiB + 1])
    expect(Math.ceil(bytes / partSize(bytes))).toBeLessThanOrEqual(10_000);
});
