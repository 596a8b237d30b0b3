import { readdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { expect, it, onTestFinished } from "vitest";
import { putFolder, verifyFolder } from "../../platform/artifacts/folder.ts";
import type { ArtifactStore } from "../../platform/artifacts/store.ts";
import { HoldError } from "../../platform/llm/errors.ts";
import { NoRoomError } from "../../platform/no-room.ts";
import { callRequest } from "../support/call-request.ts";
import { callerIn, thrownBy } from "../support/caller-bench.ts";
import { chatServer } from "../support/chat-server.ts";
import { s3Proxy, type Seen } from "../support/s3-proxy.ts";
import { openTestBucket, s3ServerOfFile } from "../support/s3.ts";
import { type SmallDisk, smallDisk } from "../support/small-disk.ts";
import { openCalls, openRecords, openStoresOf } from "../support/stores.ts";
import { storedCall } from "../support/stored-call.ts";
import { tempFolder } from "../support/temp-folder.ts";

const server = s3ServerOfFile();
const KiB = 1024;
const MiB = 1024 * KiB;
const large = Buffer.alloc(MiB, "weights ");
const rows = Array.from({ length: 20_000 }, (_, n) => ({ n, text: "what somebody said" }));

/** Files on the disk, without those that a test keeps there. */
function filesOn({ folder }: SmallDisk): readonly string[] {
  return readdirSync(folder, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile() && entry.name !== "ballast" && !entry.name.startsWith("records.db"))
    .map(({ parentPath, name }) => join(parentPath, name).slice(folder.length + 1))
    .toSorted();
}

/** What is said of a full disk: what, where, and what to do. */
const saysWhere = (what: string, place: string) => ({
  name: "NoRoomError",
  message: expect.stringMatching(
    new RegExp(`^(?=.*${what}.*can't be written: no room is left in ${place})(?=.*Free some, then run the experiment again)`),
  ),
});

const writes: Readonly<Record<string, (artifacts: ArtifactStore, file: string) => ReturnType<ArtifactStore["put"]>>> = {
  "a text": (artifacts) => artifacts.put("runs/a/one", large),
  rows: (artifacts) => artifacts.putLines("runs/a/one", rows),
  "a file": (artifacts, file) => artifacts.putFile("runs/a/one", file),
};

it.each(Object.keys(writes))(
  "%s as an artifact on a full disk: the place and the remedy are named, nothing half-written is left, and once there is room it is stored",
  async (kind) => {
    const disk = smallDisk();
    const file = join(tempFolder(), "weights");
    writeFileSync(file, large);
    const { artifacts } = await openStoresOf({ ATTUNE_HOME: disk.folder });
    disk.fill(300 * KiB);
    const write = () => writes[kind]!(artifacts, file);
    expect(await thrownBy(write())).toMatchObject(saysWhere("Artifact runs/a/one", join(disk.folder, "artifacts")));
    expect(filesOn(disk)).toEqual([]);
    expect(await artifacts.exists("runs/a/one")).toBe(false);
    disk.free();
    const ref = await write();
    expect(await artifacts.verify(ref)).toBe(true);
    expect(filesOn(disk)).toEqual(["artifacts/runs/a/one"]);
  },
);

it("an adapter of which one file fits is no adapter: its index is missing until there is room, and then it is whole", async () => {
  const disk = smallDisk();
  const adapter = tempFolder();
  writeFileSync(join(adapter, "adapter.json"), "{}");
  writeFileSync(join(adapter, "weights.safetensors"), large);
  const { artifacts } = await openStoresOf({ ATTUNE_HOME: disk.folder });
  disk.fill(300 * KiB);
  const said = saysWhere("Artifact adapters/one/weights.safetensors", join(disk.folder, "artifacts"));
  expect(await thrownBy(putFolder(artifacts, "adapters/one", adapter))).toMatchObject(said);
  expect(filesOn(disk)).toEqual(["artifacts/adapters/one/adapter.json"]);
  disk.free();
  expect(await verifyFolder(artifacts, await putFolder(artifacts, "adapters/one", adapter))).toBe(true);
});

/** Artifacts on S3 whose copies lie on a disk that is almost full, and the requests that were sent. */
async function s3OnFullDisk(isRefused: (seen: Seen) => boolean = () => false) {
  const disk = smallDisk();
  const proxy = await s3Proxy(server.endpoint(), (seen) => (isRefused(seen) ? "507" : "pass"));
  const test = await server.bucket(proxy.url);
  const { artifacts, records } = await openStoresOf({ ATTUNE_HOME: disk.folder, ...test.env });
  const bucket = await openTestBucket({ ...test, env: { ...test.env, AWS_ENDPOINT_URL_S3: server.endpoint() } });
  const objects = async () => {
    const keys: string[] = [];
    for await (const { key } of bucket.list("")) keys.push(key);
    return keys;
  };
  return { disk, artifacts, records, objects, proxy, place: `s3://${test.name}/some/prefix`, env: test.env };
}

it("a copy from S3 for which the disk has no room: whoever wants it is told, no part is left, and once there is room it is fetched", async () => {
  const { disk, artifacts } = await s3OnFullDisk();
  const ref = await artifacts.put("weights", large);
  disk.fill(300 * KiB);
  const said = saysWhere("A copy of artifact weights", join(disk.folder, "cache", "artifacts"));
  const errors = [artifacts.localPath(ref), artifacts.localPath(ref)].map(thrownBy);
  for (const error of await Promise.all(errors)) expect(error).toMatchObject(said);
  expect(filesOn(disk)).toEqual([]);
  // What needs no copy is read all the same.
  expect((await artifacts.read(ref)).equals(large)).toBe(true);
  disk.free();
  expect(readFileSync(await artifacts.localPath(ref)).equals(large)).toBe(true);
  expect(filesOn(disk).length).toBe(1);
});

it("rows for S3 for which the disk has no room: nothing is stored, and once there is room all rows are", async () => {
  const { disk, artifacts, objects } = await s3OnFullDisk();
  disk.fill(300 * KiB);
  const said = saysWhere("Artifact rows", join(disk.folder, "cache", "artifacts"));
  expect(await thrownBy(artifacts.putLines("rows", rows))).toMatchObject(said);
  expect([filesOn(disk), await objects()]).toEqual([[], []]);
  disk.free();
  expect((await artifacts.putLines("rows", rows)).rows).toBe(rows.length);
});

it("an S3 server that is full is named at once, not after a minute of tries; with room again an upload sends only the parts that are missing", async () => {
  let isFull = true;
  const sent: string[] = [];
  const { artifacts, records, objects, place, env } = await s3OnFullDisk(({ method, path }) => {
    const part = /partNumber=(\d+)/.exec(path)?.[1];
    const refused = isFull && method === "PUT" && part !== "1";
    if (part !== undefined && !refused) sent.push(part);
    return refused;
  });
  const file = join(tempFolder(), "weights");
  writeFileSync(file, Buffer.alloc(20 * MiB, "weights "));
  const calls = await openCalls({ ATTUNE_HOME: tempFolder(), ...env });
  const began = performance.now();
  expect(await thrownBy(artifacts.put("small", "text"))).toMatchObject(saysWhere("Object artifacts/small", place));
  expect(await thrownBy(artifacts.putFile("large", file))).toMatchObject(saysWhere("Object artifacts/large", place));
  expect(await thrownBy(records.put("unit/1", {}, null))).toMatchObject(saysWhere("Object records/unit/1.json", place));
  expect(await thrownBy(calls.put(storedCall("one")))).toMatchObject({ cause: expect.any(NoRoomError) });
  expect(performance.now() - began).toBeLessThan(10_000);
  expect([await objects(), sent]).toEqual([[], ["1"]]);
  isFull = false;
  await artifacts.put("small", "text");
  expect(await artifacts.verify(await artifacts.putFile("large", file))).toBe(true);
  expect(sent.toSorted()).toEqual(["1", "2", "3"]);
  expect(await records.put("unit/1", {}, null)).toBe(true);
  expect((await calls.put(storedCall("one"))).won).toBe(true);
  await calls.close();
  expect(await calls.get(storedCall("one").key)).not.toBeNull();
});

it("an answer for which the disk has no room holds the run; with room again the same worker goes on, and what was recorded is asked no more", async () => {
  const disk = smallDisk();
  const provider = await chatServer(() => ({ text: "x".repeat(200 * KiB) }));
  onTestFinished(() => provider.close());
  const { caller, store } = callerIn(disk.folder);
  const ask = (turn: number) => caller.call(callRequest("x", provider.baseUrl, { turn }));
  await ask(1);
  disk.fill(100 * KiB);
  const error = await thrownBy(ask(2));
  expect(error).toBeInstanceOf(HoldError);
  expect(error).toMatchObject({
    detail: {
      message: expect.stringContaining(`${join(disk.folder, "calls.db")} could not be written: database or disk is full`),
      remedy: expect.stringMatching(/has space.*attune resume/),
    },
  });
  // A full disk can be read.
  expect((await ask(1)).reread).toBe(true);
  expect(provider.asked.length).toBe(2);
  disk.free();
  expect((await ask(2)).reread).toBe(false);
  expect([(await ask(1)).reread, (await ask(2)).reread]).toEqual([true, true]);
  expect(provider.asked.length).toBe(3);
  expect((await store.spend("run-1")).calls).toBe(2);
});

it("what was noted beside an answer for which the disk has no room is written once there is room", async () => {
  const disk = smallDisk();
  const store = await openCalls({ ATTUNE_HOME: disk.folder });
  const large = storedCall("large", { raw: "x".repeat(200 * KiB) });
  const noted = { outcome: "failed", cause: "500" } as const;
  disk.fill(100 * KiB);
  store.note({ ...storedCall("tried"), ...noted });
  await expect(store.put(large)).rejects.toThrow("database or disk is full");
  disk.free();
  store.note({ ...storedCall("tried"), ...noted });
  expect((await store.failures(storedCall("tried").key)).count).toBe(2);
  await store.close();
});

it("a record for which the disk has no room is refused and stands as it was; with room again the same write is taken", async () => {
  const disk = smallDisk();
  const records = await openRecords({ ATTUNE_HOME: disk.folder });
  await records.put("unit/1", { text: "first" }, null);
  const { version = "" } = (await records.get("unit/1")) ?? {};
  disk.fill();
  const value = { text: "y".repeat(200 * KiB) };
  const error = await thrownBy(records.put("unit/1", value, version));
  expect(error).toBeInstanceOf(NoRoomError);
  expect(String(error)).toContain(`Record unit/1 can't be written: no room is left in ${join(disk.folder, "records.db")}`);
  expect(await records.get("unit/1")).toMatchObject({ value: { text: "first" }, version });
  disk.free();
  expect(await records.put("unit/1", value, version)).toBe(true);
  expect(await records.get("unit/1")).toMatchObject({ value });
});
