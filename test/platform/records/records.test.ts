import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { sqliteRecords } from "../../../platform/records/sqlite.ts";
import { runFixture } from "../../support/processes.ts";
import { tempFolder } from "../../support/temp-folder.ts";

describe("sqliteRecords", () => {
  it("swaps only the version that was named", async () => {
    const records = sqliteRecords(join(tempFolder(), "deep/records.db"));
    expect(await records.get("a")).toBeNull();
    expect(await records.put("a", { n: 1 }, 1)).toBe(false);
    expect(await records.put("a", { n: 1 }, null)).toBe(true);
    expect(await records.put("a", { n: 2 }, null)).toBe(false);
    expect(await records.put("a", { n: 2 }, 1)).toBe(true);
    expect(await records.put("a", { n: 3 }, 1)).toBe(false);
    expect(await records.get("a")).toEqual({ key: "a", value: { n: 2 }, version: 2 });
    await records.remove("a");
    expect(await records.get("a")).toBeNull();
    records.close();
  });

  it("lists what begins with a prefix, in order, and nothing else", async () => {
    const records = sqliteRecords(join(tempFolder(), "records.db"));
    for (const key of ["unit/a/00010", "unit/a/00002", "unit/ab/00001", "unit/a", "unit/b/1", "unit/%/1", "unit/_/1"])
      await records.putFirst(key, key);
    expect((await records.list("unit/a/")).map(({ key }) => key)).toEqual(["unit/a/00002", "unit/a/00010"]);
    expect((await records.list("unit/%/")).length).toBe(1);
    expect((await records.list("")).length).toBe(7);
    records.close();
  });

  it("gives each claim to one of two processes, and loses no count", async () => {
    const file = join(tempFolder(), "records.db");
    const outputs = await Promise.all(["one", "two"].map((name) => runFixture("platform/claim-records.ts", [file, name, "200"])));
    const won = outputs.map((output) => JSON.parse(output) as string[]);
    expect(new Set(won.flat()).size).toBe(200);
    expect(won.flat().length).toBe(200);
    const records = sqliteRecords(file);
    expect((await records.get("counter"))?.value).toBe(400);
    records.close();
  });
});
