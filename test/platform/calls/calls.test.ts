import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { sqliteCalls } from "../../../platform/calls/sqlite.ts";
import type { CallAttempt } from "../../../platform/calls/store.ts";
import { runFixture, startFixture } from "../../support/processes.ts";
import { storedCall } from "../../support/stored-call.ts";
import { tempFolder } from "../../support/temp-folder.ts";

const attempt = (name: string, outcome: CallAttempt["outcome"], changes: Partial<CallAttempt> = {}): CallAttempt => {
  const { key, at, labels, role, provider } = storedCall(name);
  return {
    key,
    at,
    labels,
    role,
    provider,
    model: "alias",
    outcome,
    cause: "",
    usage: { input: 0, cachedInput: 0, output: 0 },
    usd: 0,
    ...changes,
  };
};

describe("sqliteCalls", () => {
  it("keeps the first answer of a key, and tells the second writer", async () => {
    const file = join(tempFolder(), "deep/calls.db");
    const store = sqliteCalls(file);
    const first = storedCall("a", { text: "first", fingerprint: "fp", refusal: "no", usd: null, raw: '{"x":1}' });
    expect(await store.get(first.key)).toBeNull();
    expect(await store.put(first)).toEqual({ call: first, won: true });
    expect(await store.put({ ...first, text: "second" })).toEqual({ call: first, won: false });
    await store.close();
    const again = sqliteCalls(file);
    expect(await again.get(first.key)).toEqual(first);
    await again.close();
  });

  it("keeps the ledger: calls, re-reads, failures, waste and price, by the model that answered", async () => {
    const store = sqliteCalls(join(tempFolder(), "calls.db"));
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
    expect(await store.failures(storedCall("a").key)).toBe(1);
    expect(await store.failures(storedCall("b").key)).toBe(0);
    await store.close();
  });

  it("writes what is queued before it closes, and refuses what comes after", async () => {
    const file = join(tempFolder(), "calls.db");
    const store = sqliteCalls(file);
    const pending = store.put(storedCall("a"));
    store.note(attempt("b", "failed"));
    await store.close();
    expect((await pending).won).toBe(true);
    await expect(store.put(storedCall("c"))).rejects.toThrow(/could not be written/);
    const again = sqliteCalls(file);
    expect(await again.failures(storedCall("b").key)).toBe(1);
    await again.close();
  });

  it("lets exactly one of two processes win each key, and both use the same answer", async () => {
    const file = join(tempFolder(), "calls.db");
    const outputs = await Promise.all(["one", "two"].map((name) => runFixture("platform/record-calls.ts", [file, name, "600"])));
    const [one, two] = outputs.map((output) => output.trim().split("\n").toSorted());
    expect(one?.length).toBe(600);
    expect(one).toEqual(two);
  });

  it("loses no acknowledged record when its process is killed in the middle of writing", async () => {
    const file = join(tempFolder(), "calls.db");
    const child = startFixture("platform/record-calls.ts", [file, "one", "1000000"]);
    const acknowledged: number[] = [];
    for await (const line of child.lines) {
      if (/^\d+ one$/.test(line)) acknowledged.push(Number(line.split(" ")[0]));
      if (acknowledged.length === 400) child.kill("SIGKILL");
    }
    expect(acknowledged.length).toBeGreaterThanOrEqual(400);
    const store = sqliteCalls(file);
    for (const n of acknowledged) expect(await store.get(storedCall(`call ${n}`).key)).not.toBeNull();
    expect((await store.put(storedCall("after"))).won).toBe(true);
    await store.close();
  });
});
