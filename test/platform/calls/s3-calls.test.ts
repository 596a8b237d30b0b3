import { expect, it } from "vitest";
import { openTestBucket, s3ServerOfFile } from "../../support/s3.ts";
import { type Fate, type Seen, s3Proxy } from "../../support/s3-proxy.ts";
import { openCalls } from "../../support/stores.ts";
import { storedCall } from "../../support/stored-call.ts";
import { tempFolder } from "../../support/temp-folder.ts";
import { attempt } from "./attempt.ts";

const server = s3ServerOfFile();
const isAnswer = ({ method, path }: Seen) => method === "PUT" && path.includes("/calls/");
const isPayment = ({ method, path }: Seen) => method === "PUT" && path.includes("/ledger/");

async function bench(fate: (seen: Seen) => Fate = () => "pass") {
  const proxy = await s3Proxy(server.endpoint(), fate);
  const test = await server.bucket(proxy.url);
  const env = { ATTUNE_HOME: tempFolder(), ...test.env };
  return { env, test, proxy, store: await openCalls(env) };
}

it("wins with an answer whose reply was lost, and pays once", async () => {
  let lost = 0;
  const { store, env } = await bench((seen) => (isAnswer(seen) && lost++ === 0 ? "lose" : "pass"));
  const call = storedCall("a");
  expect(await store.put(call)).toEqual({ call, won: true });
  expect(lost).toBeGreaterThan(1);
  expect(await (await openCalls(env)).spend("run-1")).toEqual({ calls: 1, reread: 0, usd: 0.5 });
});

it("waits out a busy server, and puts in flight together share their payments", async () => {
  let busy = 0;
  const { store, proxy } = await bench((seen) => (seen.method === "PUT" && busy++ % 3 === 0 ? "503" : "pass"));
  await Promise.all(Array.from({ length: 40 }, (_, n) => store.put(storedCall(`call ${n}`))));
  expect(await store.spend("run-1")).toEqual({ calls: 40, reread: 0, usd: 20 });
  expect(new Set(proxy.seen.filter(isPayment).map(({ path }) => path)).size).toBeLessThan(10);
});

it("books a payment before the answer, so that a crash between the two can't hide it", async () => {
  const { store, env } = await bench((seen) => (isAnswer(seen) ? "403" : "pass"));
  await expect(store.put(storedCall("a"))).rejects.toThrow(/could not be written/);
  const other = await openCalls(env);
  expect(await other.get(storedCall("a").key)).toBeNull();
  expect((await other.spend("run-1")).calls).toBe(1);
});

it("keeps what it could not book, and books it when the server takes it again", async () => {
  let refuses = true;
  const { store, env } = await bench((seen) => (refuses && isPayment(seen) ? "403" : "pass"));
  await expect(store.put(storedCall("a"))).rejects.toThrow(/could not be written/);
  await expect(store.spend("run-1")).rejects.toThrow();
  refuses = false;
  expect((await store.spend("run-1")).calls).toBe(1);
  expect((await (await openCalls(env)).spend("run-1")).calls).toBe(1);
});

it("counts the answer of the loser once, as waste", async () => {
  const { store, env } = await bench();
  const other = await openCalls(env);
  await store.put(storedCall("a"));
  const mine = storedCall("a", { text: "second", model: "m-2", usd: 0.25, usage: { input: 7, cachedInput: 0, output: 3 } });
  expect((await other.put(mine)).won).toBe(false);
  expect((await store.spend("run-1")).calls).toBe(2);
  other.note(attempt("a", "wasted", { usage: mine.usage, usd: mine.usd }));
  expect(
    (await other.usage("run-1")).map(({ model, calls, wasted, inputTokens, usd }) => [model, calls, wasted, inputTokens, usd]),
  ).toEqual([
    ["m-1", 1, 0, 10, 0.5],
    ["m-2", 0, 1, 7, 0.25],
  ]);
  expect(await store.spend("run-1")).toEqual({ calls: 2, reread: 0, usd: 0.75 });
});

it("sees what other processes have written since it looked, and reads none of it twice", async () => {
  const { store, env, proxy } = await bench();
  const others = await Promise.all([1, 2, 3].map(() => openCalls(env)));
  for (let round = 1; round <= 4; round += 1) {
    await Promise.all(others.map((other, n) => other.put(storedCall(`${round} ${n}`))));
    expect((await store.spend("run-1")).calls).toBe(3 * round);
  }
  const read = proxy.seen.filter(({ method, path }) => method === "GET" && /\/ledger\/.*\.jsonl/.test(path.split("?")[0] ?? ""));
  expect(new Set(read.map(({ path }) => path)).size).toBe(read.length);
});

it("counts failures of every process under the model that answers the call in the end", async () => {
  const { store, env } = await bench();
  const other = await openCalls(env);
  store.note(attempt("a", "failed"));
  other.note(attempt("a", "failed"));
  other.note(attempt("a", "limited"));
  expect((await other.failures(storedCall("a").key)).count).toBeGreaterThan(0);
  expect((await store.failures(storedCall("a").key)).count).toBe(2);
  expect((await store.usage("run-1")).map(({ model, failed }) => [model, failed])).toEqual([["alias", 3]]);
  // Another run gets the answer: this run's ledger never names its model.
  await other.put(storedCall("a", { labels: { run: "run-2", stage: "converse", context: "distress", arm: "" } }));
  expect((await store.usage("run-1")).map(({ model, failed }) => [model, failed])).toEqual([["m-1", 3]]);
});

it("writes lines that nobody waits for within seconds, many to an object", async () => {
  const { store, test } = await bench();
  const bucket = await openTestBucket(test);
  for (let n = 0; n < 700; n += 1) store.note(attempt(`call ${n}`, "reread"));
  const segments = async () => {
    let found = 0;
    for await (const _ of bucket.list("ledger/")) found += 1;
    return found;
  };
  await expect.poll(segments, { timeout: 8000 }).toBe(2);
  expect((await store.spend("run-1")).reread).toBe(700);
});
