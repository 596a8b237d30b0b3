import { expect, it } from "vitest";
import { s3ServerOfFile } from "../../support/s3.ts";
import { s3Proxy } from "../../support/s3-proxy.ts";
import { openRecords } from "../../support/stores.ts";
import { tempFolder } from "../../support/temp-folder.ts";

const server = s3ServerOfFile();
const environment = async () => ({ ATTUNE_HOME: tempFolder(), ...(await server.bucket()).env });

it("lists more keys than a page of the server holds", async () => {
  const records = await openRecords(await environment());
  const keys = Array.from({ length: 1050 }, (_, n) => `unit/run/${String(n).padStart(5, "0")}`);
  for (let n = 0; n < keys.length; n += 50)
    await Promise.all(keys.slice(n, n + 50).map((key) => records.put(key, { key }, null)));
  expect((await records.list("unit/run/")).map(({ value }) => (value as { key: string }).key)).toEqual(keys);
});

it("takes a write whose reply was lost for its own", async () => {
  let puts = 0;
  const proxy = await s3Proxy(server.endpoint(), ({ method }) => (method === "PUT" && puts++ % 2 === 0 ? "lose" : "pass"));
  const records = await openRecords({ ATTUNE_HOME: tempFolder(), ...(await server.bucket(proxy.url)).env });
  for (let n = 1; n <= 5; n += 1) {
    const stored = await records.get("counter");
    expect(await records.put("counter", n, stored?.version ?? null)).toBe(true);
  }
  expect((await records.get("counter"))?.value).toBe(5);
  expect(puts).toBe(10);
});

it("waits while the server is away", async () => {
  let asked = 0;
  const proxy = await s3Proxy(server.endpoint(), ({ method }) => (method === "PUT" && asked++ < 8 ? "503" : "pass"));
  const records = await openRecords({ ATTUNE_HOME: tempFolder(), ...(await server.bucket(proxy.url)).env });
  expect(await records.put("a", 1, null)).toBe(true);
});

it.each(["", "a//b", "a/../b", "a/.", "/a", "a/"])("refuses the key %j", async (key) => {
  const records = await openRecords(await environment());
  await expect(records.put(key, 1, null)).rejects.toThrow(/not allowed/);
  await expect(records.get(key)).rejects.toThrow(/not allowed/);
});
