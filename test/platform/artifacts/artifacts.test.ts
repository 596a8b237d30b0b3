import { mkdirSync, readdirSync, readFileSync, symlinkSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { putFolder, readFolder, verifyFolder } from "../../../platform/artifacts/folder.ts";
import { localArtifacts } from "../../../platform/artifacts/local.ts";
import { type ArtifactStore, DigestMismatchError } from "../../../platform/artifacts/store.ts";
import { openTestBucket, s3ServerOfFile } from "../../support/s3.ts";
import { openStoresOf } from "../../support/stores.ts";
import { tempFolder } from "../../support/temp-folder.ts";

const server = s3ServerOfFile();

interface Opened {
  readonly artifacts: ArtifactStore;
  /** Replaces what is stored, behind the store's back. */
  alter(uri: string, content: string): Promise<void>;
  /** All that is stored, and what was begun. */
  names(): Promise<readonly string[]>;
}

async function local(): Promise<Opened> {
  const home = tempFolder();
  const root = join(home, "artifacts");
  const { artifacts } = await openStoresOf({ ATTUNE_HOME: home });
  return {
    artifacts,
    alter: async (uri, content) => writeFileSync(join(root, uri), content),
    names: async () =>
      readdirSync(root, { recursive: true, withFileTypes: true })
        .filter((entry) => entry.isFile())
        .map(({ parentPath, name }) => join(parentPath, name).slice(root.length + 1))
        .toSorted(),
  };
}

async function s3(): Promise<Opened> {
  const test = await server.bucket();
  const bucket = await openTestBucket(test);
  const { artifacts } = await openStoresOf({ ATTUNE_HOME: tempFolder(), ...test.env });
  return {
    artifacts,
    alter: async (uri, content) => void (await bucket.put(`artifacts/${uri}`, Buffer.from(content))),
    names: async () => {
      const names: string[] = [];
      for await (const { key } of bucket.list("artifacts/")) names.push(key.slice("artifacts/".length));
      return names;
    },
  };
}

describe.each([
  { store: "files", open: local },
  { store: "S3", open: s3 },
])("artifacts in $store", ({ open }) => {
  it("answers a reference, and gives back what it was given", async () => {
    const { artifacts } = await open();
    const ref = await artifacts.put("runs/a/data.txt", "héllo");
    expect(ref).toEqual({
      uri: "runs/a/data.txt",
      sha256: "3c48591d8d098a4538f5e013dfcf406e948eac4d3277b10bf614e295d6068179",
      bytes: 6,
      rows: null,
    });
    expect((await artifacts.read(ref)).toString()).toBe("héllo");
    const path = await artifacts.localPath(ref);
    expect(readFileSync(path, "utf8")).toBe("héllo");
    // A browser goes by the ending.
    expect(path).toMatch(/\/data\.txt$/);
  });

  it("counts the rows of JSONL and reads them back in order, over many chunks", async () => {
    const { artifacts } = await open();
    const rows = Array.from({ length: 20_000 }, (_, n) => ({ n, text: "a line\nwith a break" }));
    const ref = await artifacts.putLines("rows.jsonl", rows);
    expect(ref.rows).toBe(20_000);
    let n = 0;
    for await (const row of artifacts.readLines(ref)) expect(row).toEqual(rows[n++]);
    expect(n).toBe(20_000);
    expect(await artifacts.putLines("none.jsonl", [])).toMatchObject({ bytes: 0, rows: 0 });
  });

  it("reads back every letter that could end a line elsewhere", async () => {
    const { artifacts } = await open();
    const rows = ["\u2028", "\u2029", "\u0085", "\r", "\n", "\v", "a".repeat(300_000), "€".repeat(100_000)].map((text) => ({
      text: `a${text}b`,
    }));
    expect(await Array.fromAsync(artifacts.readLines(await artifacts.putLines("rows.jsonl", rows)))).toEqual(rows);
  });

  it("names rows by their digest when the last one has come, and stores them once", async () => {
    const { artifacts, names } = await open();
    const rows = async function* () {
      yield 1;
      yield { two: 2 };
    };
    const named = (sha256: string) => `data/rows-${sha256.slice(0, 8)}.jsonl`;
    const ref = await artifacts.putLines(named, rows());
    expect(ref.uri).toBe(named(ref.sha256));
    expect(await artifacts.putLines(named, rows())).toEqual(ref);
    expect((await artifacts.read(ref)).toString()).toBe('1\n{"two":2}\n');
    await expect(artifacts.putLines((sha256) => `../${sha256}`, rows())).rejects.toThrow(/not allowed/);
    expect(await names()).toEqual([ref.uri]);
  });

  it("takes the same content again and refuses other content, also when both are written at once", async () => {
    const { artifacts, names } = await open();
    await Promise.all(Array.from({ length: 8 }, () => artifacts.put("a/same", "content")));
    const results = await Promise.allSettled(Array.from({ length: 8 }, (_, n) => artifacts.put("a/other", `content ${n}`)));
    expect(results.filter(({ status }) => status === "fulfilled").length).toBe(1);
    await expect(artifacts.put("a/same", "more")).rejects.toThrow(/a\/same exists with other content/);
    expect(await names()).toEqual(["a/other", "a/same"]);
  });

  it("leaves nothing of a write that failed", async () => {
    const { artifacts, names } = await open();
    const rows = (function* () {
      yield 1;
      throw new Error("broken source");
    })();
    await expect(artifacts.putLines("a/rows", rows)).rejects.toThrow("broken source");
    await expect(artifacts.putFile("a/file", join(tempFolder(), "missing"))).rejects.toThrow(/ENOENT/);
    expect(await names()).toEqual([]);
  });

  it("names a file that is missing or was altered, and what to do", async () => {
    const { artifacts, alter } = await open();
    const ref = await artifacts.putLines("runs/pairs.jsonl", [1, 2]);
    expect(await artifacts.verify(ref)).toBe(true);
    await alter("runs/pairs.jsonl", "1\n3\n");
    await expect(artifacts.read(ref)).rejects.toThrow(DigestMismatchError);
    await expect(artifacts.localPath(ref)).rejects.toThrow(/runs\/pairs\.jsonl was altered.*run the experiment again/);
    await expect(artifacts.readLines(ref)[Symbol.asyncIterator]().next()).rejects.toThrow(DigestMismatchError);
    expect(await artifacts.verify(ref)).toBe(false);
    await artifacts.remove(ref.uri);
    await expect(artifacts.read(ref)).rejects.toThrow(/is missing/);
    expect([await artifacts.verify(ref), await artifacts.exists(ref.uri)]).toEqual([false, false]);
  });

  it.each(["../outside", "/etc/passwd", "a/../../b", "a//b", "", "a/.hidden", "a\\b", "a/./b", "a/b/", "x".repeat(401), "a\nb"])(
    "refuses the uri %j",
    async (uri) => {
      const { artifacts } = await open();
      const ref = { uri, sha256: "0".repeat(64), bytes: 0, rows: null };
      await expect(artifacts.put(uri, "x")).rejects.toThrow(/not allowed/);
      await expect(artifacts.putLines(uri, [1])).rejects.toThrow(/not allowed/);
      await expect(artifacts.putFile(uri, import.meta.filename)).rejects.toThrow(/not allowed/);
      await expect(artifacts.read(ref)).rejects.toThrow(/not allowed/);
      await expect(artifacts.localPath(ref)).rejects.toThrow(/not allowed/);
      await expect(artifacts.remove(uri)).rejects.toThrow(/not allowed/);
      await expect(artifacts.verify(ref)).rejects.toThrow(/not allowed/);
    },
  );

  it("keeps folders as files and an index, verified as one", async () => {
    const source = tempFolder();
    mkdirSync(join(source, "sub"));
    writeFileSync(join(source, "adapter.safetensors"), Buffer.alloc(300_000, 7));
    writeFileSync(join(source, "sub/config.json"), "{}");
    const { artifacts, alter } = await open();
    const ref = await putFolder(artifacts, "adapters/a", source);
    const { files } = await readFolder(artifacts, ref);
    expect(files.map(({ path, ref: { uri, bytes } }) => [path, uri, bytes])).toEqual([
      ["adapter.safetensors", "adapters/a/adapter.safetensors", 300_000],
      ["sub/config.json", "adapters/a/sub/config.json", 2],
    ]);
    expect(await putFolder(artifacts, "adapters/a", source)).toEqual(ref);
    expect(await verifyFolder(artifacts, ref)).toBe(true);
    await alter("adapters/a/sub/config.json", "{ }");
    expect(await verifyFolder(artifacts, ref)).toBe(false);
  });
});

it("follows no symbolic link out of its root, and makes nothing there", async () => {
  const root = tempFolder();
  const outside = tempFolder();
  writeFileSync(join(outside, "secret"), "s");
  symlinkSync(outside, join(root, "link"));
  const artifacts = localArtifacts(root);
  await expect(artifacts.put("link/new/file", "x")).rejects.toThrow(/outside/);
  await expect(artifacts.exists("link/secret")).rejects.toThrow(/outside/);
  await expect(artifacts.remove("link/secret")).rejects.toThrow(/outside/);
  expect(readdirSync(outside)).toEqual(["secret"]);
});
