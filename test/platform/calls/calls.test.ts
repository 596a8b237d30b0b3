import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { runFixture, startFixture } from "../../support/processes.ts";
import { s3ServerOfFile } from "../../support/s3.ts";
import { storedCall } from "../../support/stored-call.ts";
import { openCalls } from "../../support/stores.ts";
import { tempFolder } from "../../support/temp-folder.ts";
import { attempt } from "./attempt.ts";

const server = s3ServerOfFile();

const stores = [
  { store: "SQLite", environment: async () => ({ ATTUNE_HOME: join(tempFolder(), "deep") }), keys: 600, killedAt: 400 },
  {
    store: "S3",
    environment: async () => ({ ATTUNE_HOME: tempFolder(), ...(await server.bucket()).env }),
    keys: 150,
    killedAt: 100,
  },
];

describe.each(stores)("calls in $store", ({ environment, keys, killedAt }) => {
  it("keeps the first answer of a key, and tells the second writer", async () => {
    const env = await environment();
    const store = await openCalls(env);
    const first = storedCall("a", { text: "first", fingerprint: "fp", refusal: "no", usd: null, raw: '{"x":1}' });
    expect(await store.get(first.key)).toBeNull();
    expect(await store.put(first)).toEqual({ call: first, won: true });
    expect(await store.put({ ...first, text: "second" })).toEqual({ call: first, won: false });
    await store.close();
    const again = await openCalls(env);
    expect(await again.get(first.key)).toEqual(first);
    await again.close();
  });

  it("keeps the ledger: calls, re-reads, failures, waste and price, by the model that answered", async () => {
    const store = await openCalls(await environment());
    await Promise.all(["a", "b"].map((name) => store.put(storedCall(name))));
    store.note(attempt("a", "reread"));
    store.note(attempt("a", "failed"));
    store.note(attempt("b", "limited"));
    store.note(attempt("b", "wasted", { usage: { input: 7, cachedInput: 1, output: 3 }, usd: 0.25 }));
    store.note(attempt("never answered", "failed"));
    await store.put(
      storedCall("of another run", { labels: { run: "run-2", stage: "steer", context: "writing", arm: "" }, usd: null }),
    );
    expect(await store.usage("run-1")).toEqual([
      {
        stage: "converse",
        context: "distress",
        arm: "",
        role: "teacher",
        model: "alias",
        calls: 0,
        reread: 0,
        failed: 1,
        wasted: 0,
        inputTokens: 0,
        cachedInputTokens: 0,
        outputTokens: 0,
        usd: 0,
      },
      {
        stage: "converse",
        context: "distress",
        arm: "",
        role: "teacher",
        model: "m-1",
        calls: 2,
        reread: 1,
        failed: 2,
        wasted: 1,
        inputTokens: 27,
        cachedInputTokens: 9,
        outputTokens: 13,
        usd: 1.25,
      },
    ]);
    expect(await store.spend("run-1")).toEqual({ calls: 3, reread: 1, usd: 1.25 });
    expect(await store.spend("run-2")).toEqual({ calls: 1, reread: 0, usd: null });
    expect(await store.spend("unknown")).toEqual({ calls: 0, reread: 0, usd: 0 });
    expect(await store.spendByStage("run-1")).toEqual({ converse: { calls: 3, reread: 1, usd: 1.25 } });
    expect(await store.spendByStage("run-2")).toEqual({ steer: { calls: 1, reread: 0, usd: null } });
    expect(await store.spendByStage("unknown")).toEqual({});
    await store.close();
  });

  it("tells how often a call failed, and when first, by whatever process and in whatever order they are written", async () => {
    const env = await environment();
    const [store, other] = await Promise.all([openCalls(env), openCalls(env)]);
    store.note(attempt("a", "failed", { at: "2026-01-01T00:00:07.000Z" }));
    store.note(attempt("a", "limited", { at: "2026-01-01T00:00:01.000Z" }));
    store.note(attempt("a", "outage", { at: "2026-01-01T00:00:02.000Z" }));
    expect(await store.failures(storedCall("a").key)).toEqual({ count: 1, firstAt: "2026-01-01T00:00:07.000Z" });
    other.note(attempt("a", "failed", { at: "2026-01-01T00:00:05.000Z" }));
    await other.close();
    expect(await store.failures(storedCall("a").key)).toEqual({ count: 2, firstAt: "2026-01-01T00:00:05.000Z" });
    expect(await store.failures(storedCall("b").key)).toEqual({ count: 0, firstAt: null });
    await store.close();
  });

  it("writes what is queued before it closes, and refuses what comes after", async () => {
    const env = await environment();
    const store = await openCalls(env);
    const pending = store.put(storedCall("a"));
    store.note(attempt("b", "failed"));
    await store.close();
    expect((await pending).won).toBe(true);
    await expect(store.put(storedCall("c"))).rejects.toThrow(/could not be written/);
    const again = await openCalls(env);
    expect((await again.failures(storedCall("b").key)).count).toBe(1);
    await again.close();
  });

  it("lets exactly one of two processes win each key, and both use the same answer", async () => {
    const env = await environment();
    const outputs = await Promise.all(
      ["one", "two"].map((name) => runFixture("platform/record-calls.ts", [name, String(keys)], env)),
    );
    const [one, two] = outputs.map((output) => output.trim().split("\n").toSorted());
    expect(one?.length).toBe(keys);
    expect(one).toEqual(two);
    // Both have paid for every key.
    const store = await openCalls(env);
    expect((await store.spend("run-1")).calls).toBeGreaterThanOrEqual(keys);
  });

  it("loses no acknowledged record when its process is killed in the middle of writing", async () => {
    const env = await environment();
    const child = startFixture("platform/record-calls.ts", ["one", "1000000"], env);
    const acknowledged: number[] = [];
    for await (const line of child.lines) {
      if (/^\d+ one$/.test(line)) acknowledged.push(Number(line.split(" ")[0]));
      if (acknowledged.length === killedAt) child.kill("SIGKILL");
    }
    expect(acknowledged.length).toBeGreaterThanOrEqual(killedAt);
    const store = await openCalls(env);
    for (const n of acknowledged) expect(await store.get(storedCall(`call ${n}`).key)).not.toBeNull();
    // No crash hides a payment.
    const { calls, usd } = await store.spend("run-1");
    expect(calls).toBeGreaterThanOrEqual(acknowledged.length);
    expect(usd).toBe(calls / 2);
    expect((await store.put(storedCall("after"))).won).toBe(true);
    await store.close();
  });
});
