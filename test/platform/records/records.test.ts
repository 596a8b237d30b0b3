import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { updateRecord } from "../../../platform/records/update.ts";
import { runFixture } from "../../support/processes.ts";
import { s3ServerOfFile } from "../../support/s3.ts";
import { openRecords } from "../../support/stores.ts";
import { tempFolder } from "../../support/temp-folder.ts";

const server = s3ServerOfFile();

/** An environment of its own for each test: its name is all that a process needs to open the same store. */
const stores = [
  { store: "SQLite", environment: async () => ({ ATTUNE_HOME: join(tempFolder(), "deep") }), keys: 200 },
  { store: "S3", environment: async () => ({ ATTUNE_HOME: tempFolder(), ...(await server.bucket()).env }), keys: 60 },
];

describe.each(stores)("records in $store", ({ environment, keys }) => {
  it("swaps only the version that was named", async () => {
    const records = await openRecords(await environment());
    const version = async () => (await records.get("a"))?.version ?? null;
    expect(await records.get("a")).toBeNull();
    expect(await records.put("a", { n: 1 }, "1")).toBe(false);
    expect(await records.put("a", { n: 1 }, null)).toBe(true);
    const first = await version();
    expect(await records.put("a", { n: 2 }, null)).toBe(false);
    expect(await records.put("a", { n: 2 }, first)).toBe(true);
    expect(await records.put("a", { n: 3 }, first)).toBe(false);
    expect(await records.get("a")).toMatchObject({ key: "a", value: { n: 2 } });
    const second = await version();
    expect(await records.put("a", { n: 2 }, second)).toBe(true);
    expect(await version()).not.toBe(second);
    await records.remove("a");
    expect(await records.get("a")).toBeNull();
    await records.remove("a");
  });

  it("puts the first value of a key, and answers it to all others", async () => {
    const records = await openRecords(await environment());
    const answers = await Promise.all(Array.from({ length: 12 }, (_, n) => records.putFirst("first", { n })));
    expect(new Set(answers.map((answer) => JSON.stringify(answer))).size).toBe(1);
    expect((await records.get("first"))?.value).toEqual(answers[0]);
  });

  it("lists what begins with a prefix, in order, and nothing else", async () => {
    const records = await openRecords(await environment());
    for (const key of [
      "unit/a/00010",
      "unit/a/00002",
      "unit/ab/00001",
      "unit/a",
      "unit/b/1",
      "unit/%/1",
      "unit/_/1",
      "unit/a-b/1",
    ])
      await records.putFirst(key, key);
    expect((await records.list("unit/a/")).map(({ key }) => key)).toEqual(["unit/a/00002", "unit/a/00010"]);
    expect((await records.list("unit/%/")).map(({ key, value }) => [key, value])).toEqual([["unit/%/1", "unit/%/1"]]);
    const all = (await records.list("")).map(({ key }) => key);
    expect(all.length).toBe(8);
    expect(all).toEqual(all.toSorted());
  });

  it("gives out one after another what a list holds, though records come and go meanwhile", async () => {
    const records = await openRecords(await environment());
    const key = (n: number) => `unit/a/${String(n).padStart(5, "0")}`;
    await Promise.all([
      ...Array.from({ length: 300 }, (_, n) => records.putFirst(key(n), n)),
      records.putFirst("unit/b", "other"),
    ]);
    const all = await records.list("unit/a/");
    expect(await Array.fromAsync(records.each("unit/a/"))).toEqual(all);
    expect(all.length).toBe(300);
    expect(await Array.fromAsync(records.each("unit/c/"))).toEqual([]);
    const seen: string[] = [];
    for await (const stored of records.each("unit/a/")) {
      seen.push(stored.key);
      if (stored.key === key(0)) await records.remove(key(299));
    }
    expect(seen).toEqual(all.slice(0, -1).map((stored) => stored.key));
    for await (const stored of records.each("unit/a/")) if (stored.key === key(1)) break;
    expect((await records.get(key(1)))?.value).toBe(1);
  });

  it("loses none of 20 increments at once", async () => {
    const records = await openRecords(await environment());
    const increment = () => updateRecord<number>(records, "counter", (n = 0) => n + 1);
    const answers = await Promise.all(Array.from({ length: 20 }, increment));
    expect(answers.toSorted((a, b) => a - b)).toEqual(Array.from({ length: 20 }, (_, n) => n + 1));
    expect((await records.get("counter"))?.value).toBe(20);
  });

  it("writes nothing where a change leaves it as it is, and answers what is stored", async () => {
    const records = await openRecords(await environment());
    const leave = () => updateRecord<{ n: number } | undefined>(records, "a", (stored) => stored);
    expect(await leave()).toBeUndefined();
    expect(await records.get("a")).toBeNull();
    expect(await updateRecord(records, "a", () => ({ n: 1 }))).toEqual({ n: 1 });
    const before = await records.get("a");
    expect(await leave()).toEqual({ n: 1 });
    expect(await records.get("a")).toEqual(before);
  });

  it("gives each claim to one of two processes, and loses no count", async () => {
    const env = await environment();
    const outputs = await Promise.all(
      ["one", "two"].map((name) => runFixture("platform/claim-records.ts", [name, String(keys)], env)),
    );
    const won = outputs.map((output) => JSON.parse(output) as string[]);
    expect(new Set(won.flat()).size).toBe(keys);
    expect(won.flat().length).toBe(keys);
    const records = await openRecords(env);
    expect((await records.get("counter"))?.value).toBe(2 * keys);
  });
});
