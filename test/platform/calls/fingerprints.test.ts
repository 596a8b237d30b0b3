import { describe, expect, it } from "vitest";
import { s3ServerOfFile } from "../../support/s3.ts";
import { storedCall } from "../../support/stored-call.ts";
import { openCalls } from "../../support/stores.ts";
import { tempFolder } from "../../support/temp-folder.ts";
import { attempt } from "./attempt.ts";

const server = s3ServerOfFile();

const stores = [
  { store: "SQLite", environment: async () => ({ ATTUNE_HOME: tempFolder() }) },
  { store: "S3", environment: async () => ({ ATTUNE_HOME: tempFolder(), ...(await server.bucket()).env }) },
];

describe.each(stores)("fingerprints in $store", ({ environment }) => {
  it("counts a run's answers by fingerprint, re-read ones of other runs too; lost and unprinted ones are none", async () => {
    const env = await environment();
    const store = await openCalls(env);
    const other = { run: "run-2", stage: "steer", context: "writing", arm: "" };
    await store.put(storedCall("a", { fingerprint: "fp-1" }));
    await store.put(storedCall("b", { fingerprint: "fp-2" }));
    await store.put(storedCall("c"));
    await store.put(storedCall("d", { fingerprint: "fp-3", labels: other }));
    store.note(attempt("d", "reread"));
    store.note(attempt("a", "reread"));
    store.note(attempt("a", "failed"));
    // Somebody else was first: this answer is paid for and never used.
    expect((await store.put(storedCall("b", { fingerprint: "fp-4" }))).won).toBe(false);
    store.note(attempt("b", "wasted"));
    const row = (fingerprint: string, answers: number) => ({
      stage: "converse",
      role: "teacher",
      model: "m-1",
      fingerprint,
      answers,
    });
    const expected = [row("fp-1", 2), row("fp-2", 1), row("fp-3", 1)];
    expect(await store.fingerprints("run-1")).toEqual(expected);
    await store.close();
    const again = await openCalls(env);
    expect(await again.fingerprints("run-1")).toEqual(expected);
    expect(await again.fingerprints("run-2")).toEqual([{ ...row("fp-3", 1), stage: "steer" }]);
    expect(await again.fingerprints("nothing")).toEqual([]);
  });
});
