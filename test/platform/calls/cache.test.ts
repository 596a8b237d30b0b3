import { statSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { openCallCache } from "../../../platform/calls/cache.ts";
import { sqliteCalls } from "../../../platform/calls/sqlite.ts";
import type { CallAttempt, StoredCall } from "../../../platform/calls/store.ts";
import { startFixture } from "../../support/processes.ts";
import { storedCall } from "../../support/stored-call.ts";
import { tempFolder } from "../../support/temp-folder.ts";

const of = (run: string) => ({ labels: { run, stage: "converse", context: "distress", arm: "" } });

function reread(name: string, run: string): CallAttempt {
  const { key, role, provider, model } = storedCall(name);
  const none = { usage: { input: 0, cachedInput: 0, output: 0 }, usd: 0 };
  return { key, at: "2026-01-03T00:00:00.000Z", ...of(run), role, provider, model, outcome: "reread", cause: "", ...none };
}

/** A store with these calls and re-reads. */
async function stored(calls: readonly StoredCall[], rereads: readonly CallAttempt[] = []): Promise<string> {
  const file = join(tempFolder(), "calls.db");
  const store = sqliteCalls(file);
  await Promise.all(calls.map((call) => store.put(call)));
  for (const attempt of rereads) store.note(attempt);
  await store.close();
  return file;
}

async function left(file: string, names: readonly string[]): Promise<readonly string[]> {
  const store = sqliteCalls(file);
  const found: string[] = [];
  for (const name of names) if ((await store.get(storedCall(name).key)) !== null) found.push(name);
  await store.close();
  return found;
}

describe("openCallCache", () => {
  it("is null where no call was recorded, and makes no file", () => {
    expect(openCallCache(join(tempFolder(), "calls.db"))).toBeNull();
  });

  it("sums up what is recorded by run, an unknown price apart, the last used first", async () => {
    const file = await stored(
      [
        storedCall("a1", of("run-a")),
        storedCall("a2", { ...of("run-a"), usd: null, at: "2026-01-02T00:00:00.000Z", text: "é".repeat(1000) }),
        storedCall("b1", of("run-b")),
      ],
      [reread("a1", "run-b")],
    );
    const cache = openCallCache(file)!;
    const runs = cache.runs();
    cache.close();
    expect(runs).toMatchObject([
      { run: "run-b", calls: 1, knownUsd: 0.5, unpriced: 0, lastUsedAt: "2026-01-03T00:00:00.000Z" },
      {
        run: "run-a",
        calls: 2,
        inputTokens: 20,
        cachedInputTokens: 8,
        outputTokens: 10,
        knownUsd: 0.5,
        unpriced: 1,
        lastUsedAt: "2026-01-02T00:00:00.000Z",
      },
    ]);
    // Bytes, not characters.
    expect(runs[1]!.bytes).toBeGreaterThan(2000);
  });

  it("says what a removal is worth and who else used it, changes nothing before, and keeps what an open run has used", async () => {
    const names = ["a1", "a2", "a3", "b1"];
    const file = await stored(
      [...["a1", "a2", "a3"].map((name) => storedCall(name, of("run-a"))), storedCall("b1", of("run-b"))],
      [reread("a1", "run-b"), reread("a2", "run-c"), reread("b1", "run-a")],
    );
    const cache = openCallCache(file)!;
    expect(cache.mark({ runs: ["run-a"], open: [] })).toEqual({
      calls: 3,
      knownUsd: 1.5,
      unpriced: 0,
      kept: 0,
      shared: [
        { run: "run-b", calls: 1 },
        { run: "run-c", calls: 1 },
      ],
    });
    expect(cache.mark({ runs: ["run-a"], open: ["run-b"] })).toMatchObject({ calls: 2, kept: 1, shared: [{ run: "run-c" }] });
    expect(await left(file, names)).toEqual(names);
    await cache.remove();
    expect(cache.runs().map(({ run, calls }) => [run, calls])).toEqual([
      ["run-b", 1],
      ["run-c", 0],
      ["run-a", 1],
    ]);
    cache.close();
    expect(await left(file, names)).toEqual(["a1", "b1"]);
  });

  it("removes and compacts while another process records, which loses nothing", async () => {
    const old = Array.from({ length: 6000 }, (_, i) => storedCall(`old ${i}`, { ...of("old"), raw: "x".repeat(2000) }));
    const file = await stored(old);
    const before = statSync(file).size;
    const child = startFixture("platform/record-calls.ts", [file, "one", "1000000"]);
    const acknowledged: number[] = [];
    const ended = (async () => {
      for await (const line of child.lines) if (/^\d+ one$/.test(line)) acknowledged.push(Number(line.split(" ")[0]));
    })();
    while (acknowledged.length === 0) await new Promise((resolve) => setTimeout(resolve, 20));
    const cache = openCallCache(file)!;
    expect(cache.mark({ runs: ["old"], open: [] })).toMatchObject({ calls: 6000 });
    await cache.remove();
    expect(cache.size().free).toBeGreaterThan(before / 2);
    const during = acknowledged.length;
    expect(await cache.compact()).toBe(true);
    expect(statSync(file).size).toBeLessThan(before);
    while (acknowledged.length === during) await new Promise((resolve) => setTimeout(resolve, 20));
    child.kill("SIGKILL");
    await ended;
    expect(cache.runs().map(({ run }) => run)).toEqual(["run-1"]);
    cache.close();
    const store = sqliteCalls(file);
    for (const n of acknowledged) expect(await store.get(storedCall(`call ${n}`).key)).not.toBeNull();
    await store.close();
  });
});
