import { existsSync, statSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { openCallCache } from "../../../platform/calls/cache.ts";
import { sqliteCalls } from "../../../platform/calls/sqlite.ts";
import type { CallAttempt, StoredCall } from "../../../platform/calls/store.ts";
import { startFixture } from "../../support/processes.ts";
import { s3ServerOfFile } from "../../support/s3.ts";
import { storedCall } from "../../support/stored-call.ts";
import { openCalls, openStoresOf, type StoreEnvironment } from "../../support/stores.ts";
import { tempFolder } from "../../support/temp-folder.ts";

const of = (run: string) => ({ labels: { run, stage: "converse", context: "distress", arm: "" } });

function reread(name: string, run: string): CallAttempt {
  const { key, role, provider, model } = storedCall(name);
  const none = { usage: { input: 0, cachedInput: 0, output: 0 }, usd: 0 };
  return { key, at: "2026-01-03T00:00:00.000Z", ...of(run), role, provider, model, outcome: "reread", cause: "", ...none };
}

/** Records these calls and re-reads in the store of an environment. */
async function stored(env: StoreEnvironment, calls: readonly StoredCall[], rereads: readonly CallAttempt[] = []): Promise<void> {
  const store = await openCalls(env);
  await Promise.all(calls.map((call) => store.put(call)));
  for (const attempt of rereads) store.note(attempt);
  await store.close();
}

async function left(env: StoreEnvironment, names: readonly string[]): Promise<readonly string[]> {
  const store = await openCalls(env);
  const found: string[] = [];
  for (const name of names) if ((await store.get(storedCall(name).key)) !== null) found.push(name);
  return found;
}

const server = s3ServerOfFile();

describe.each([
  { store: "SQLite", environment: async () => ({ ATTUNE_HOME: tempFolder() }) },
  { store: "S3", environment: async () => ({ ATTUNE_HOME: tempFolder(), ...(await server.bucket()).env }) },
])("the call cache in $store", ({ environment }) => {
  it("is null where no call was recorded, and makes nothing", async () => {
    const env = await environment();
    const { openCallCache } = await openStoresOf(env);
    expect(await openCallCache()).toBeNull();
    expect(existsSync(join(env.ATTUNE_HOME, "calls.db"))).toBe(false);
  });

  it("sums up what is recorded by run, an unknown price apart, the last used first", async () => {
    const env = await environment();
    await stored(
      env,
      [
        storedCall("a1", of("run-a")),
        storedCall("a2", { ...of("run-a"), usd: null, at: "2026-01-02T00:00:00.000Z", text: "é".repeat(1000) }),
        storedCall("b1", of("run-b")),
      ],
      [reread("a1", "run-b")],
    );
    const cache = (await (await openStoresOf(env)).openCallCache())!;
    const runs = await cache.runs();
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
    const env = await environment();
    await stored(
      env,
      [...["a1", "a2", "a3"].map((name) => storedCall(name, of("run-a"))), storedCall("b1", of("run-b"))],
      [reread("a1", "run-b"), reread("a2", "run-c"), reread("b1", "run-a")],
    );
    const cache = (await (await openStoresOf(env)).openCallCache())!;
    expect(await cache.mark({ runs: ["run-a"], open: [] })).toEqual({
      calls: 3,
      knownUsd: 1.5,
      unpriced: 0,
      kept: 0,
      shared: [
        { run: "run-b", calls: 1 },
        { run: "run-c", calls: 1 },
      ],
    });
    expect(await cache.mark({ runs: ["run-a"], open: ["run-b"] })).toMatchObject({
      calls: 2,
      kept: 1,
      shared: [{ run: "run-c" }],
    });
    expect(await left(env, names)).toEqual(names);
    await cache.remove();
    expect((await cache.runs()).map(({ run, calls }) => [run, calls])).toEqual([
      ["run-b", 1],
      ["run-c", 0],
      ["run-a", 1],
    ]);
    cache.close();
    expect(await left(env, names)).toEqual(["a1", "b1"]);
  });
});

it("removes and compacts while another process records, which loses nothing", async () => {
  const old = Array.from({ length: 6000 }, (_, i) => storedCall(`old ${i}`, { ...of("old"), raw: "x".repeat(2000) }));
  const home = tempFolder();
  const file = join(home, "calls.db");
  await stored({ ATTUNE_HOME: home }, old);
  const before = statSync(file).size;
  const child = startFixture("platform/record-calls.ts", ["one", "1000000"], { ATTUNE_HOME: home });
  const acknowledged: number[] = [];
  const ended = (async () => {
    for await (const line of child.lines) if (/^\d+ one$/.test(line)) acknowledged.push(Number(line.split(" ")[0]));
  })();
  while (acknowledged.length === 0) await new Promise((resolve) => setTimeout(resolve, 20));
  const cache = openCallCache(file)!;
  expect(await cache.mark({ runs: ["old"], open: [] })).toMatchObject({ calls: 6000 });
  await cache.remove();
  expect((await cache.size()).free).toBeGreaterThan(before / 2);
  const during = acknowledged.length;
  expect(await cache.compact()).toBe(true);
  expect(statSync(file).size).toBeLessThan(before);
  while (acknowledged.length === during) await new Promise((resolve) => setTimeout(resolve, 20));
  child.kill("SIGKILL");
  await ended;
  expect((await cache.runs()).map(({ run }) => run)).toEqual(["run-1"]);
  cache.close();
  const store = sqliteCalls(file);
  for (const n of acknowledged) expect(await store.get(storedCall(`call ${n}`).key)).not.toBeNull();
  await store.close();
});
