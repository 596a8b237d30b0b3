import { mkdirSync, readdirSync, readFileSync, symlinkSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { putFolder, readFolder, verifyFolder } from "../../../platform/artifacts/folder.ts";
import { localArtifacts } from "../../../platform/artifacts/local.ts";
import { DigestMismatchError } from "../../../platform/artifacts/store.ts";
import { tempFolder } from "../../support/temp-folder.ts";

describe("localArtifacts", () => {
  it("answers a reference, and gives back what it was given", async () => {
    const artifacts = localArtifacts(tempFolder());
    const ref = await artifacts.put("runs/a/data.txt", "héllo");
    expect(ref).toEqual({
      uri: "runs/a/data.txt",
      sha256: "3c48591d8d098a4538f5e013dfcf406e948eac4d3277b10bf614e295d6068179",
      bytes: 6,
      rows: null,
    });
    expect((await artifacts.read(ref)).toString()).toBe("héllo");
    expect(readFileSync(await artifacts.localPath(ref), "utf8")).toBe("héllo");
  });

  it("counts the rows of JSONL and reads them back in order, over many chunks", async () => {
    const artifacts = localArtifacts(tempFolder());
    const rows = Array.from({ length: 20_000 }, (_, n) => ({ n, text: "a line\nwith a break" }));
    const ref = await artifacts.putLines("rows.jsonl", rows);
    expect(ref.rows).toBe(20_000);
    let n = 0;
    for await (const row of artifacts.readLines(ref)) expect(row).toEqual(rows[n++]);
    expect(n).toBe(20_000);
    expect(await artifacts.putLines("none.jsonl", [])).toMatchObject({ bytes: 0, rows: 0 });
  });

  it("takes the same content again and refuses other content, also when both are written at once", async () => {
    const root = tempFolder();
    const artifacts = localArtifacts(root);
    await Promise.all(Array.from({ length: 8 }, () => artifacts.put("a/same", "content")));
    const results = await Promise.allSettled(Array.from({ length: 8 }, (_, n) => artifacts.put("a/other", `content ${n}`)));
    expect(results.filter(({ status }) => status === "fulfilled").length).toBe(1);
    await expect(artifacts.put("a/same", "more")).rejects.toThrow(/a\/same exists with other content/);
    expect(readdirSync(join(root, "a")).toSorted()).toEqual(["other", "same"]);
  });

  it("leaves nothing of a write that failed", async () => {
    const root = tempFolder();
    const rows = (function* () {
      yield 1;
      throw new Error("broken source");
    })();
    await expect(localArtifacts(root).putLines("a/rows", rows)).rejects.toThrow("broken source");
    expect(readdirSync(join(root, "a"))).toEqual([]);
  });

  it("names a file that is missing or was altered, and what to do", async () => {
    const root = tempFolder();
    const artifacts = localArtifacts(root);
    const ref = await artifacts.putLines("runs/pairs.jsonl", [1, 2]);
    writeFileSync(join(root, "runs/pairs.jsonl"), "1\n3\n");
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
      const artifacts = localArtifacts(tempFolder());
      const ref = { uri, sha256: "0".repeat(64), bytes: 0, rows: null };
      await expect(artifacts.put(uri, "x")).rejects.toThrow(/not allowed/);
      await expect(artifacts.read(ref)).rejects.toThrow(/not allowed/);
      await expect(artifacts.remove(uri)).rejects.toThrow(/not allowed/);
      await expect(artifacts.verify(ref)).rejects.toThrow(/not allowed/);
    },
  );

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
});

describe("folders", () => {
  it("are files and an index, verified as one", async () => {
    const source = tempFolder();
    mkdirSync(join(source, "sub"));
    writeFileSync(join(source, "adapter.safetensors"), Buffer.alloc(300_000, 7));
    writeFileSync(join(source, "sub/config.json"), "{}");
    const root = tempFolder();
    const artifacts = localArtifacts(root);
    const ref = await putFolder(artifacts, "adapters/a", source);
    const { files } = await readFolder(artifacts, ref);
    expect(files.map(({ path, ref: { uri, bytes } }) => [path, uri, bytes])).toEqual([
      ["adapter.safetensors", "adapters/a/adapter.safetensors", 300_000],
      ["sub/config.json", "adapters/a/sub/config.json", 2],
    ]);
    expect(await putFolder(artifacts, "adapters/a", source)).toEqual(ref);
    expect(await verifyFolder(artifacts, ref)).toBe(true);
    writeFileSync(join(root, "adapters/a/sub/config.json"), "{ }");
    expect(await verifyFolder(artifacts, ref)).toBe(false);
  });
});
