import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { createServer, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { afterEach, expect, it } from "vitest";
import { type Tuning, tuningKey } from "../../../platform/llm/shares/tuning.ts";
import { sqliteRecords } from "../../../platform/records/sqlite.ts";
import { tempFolder } from "../../support/temp-folder.ts";

const script = fileURLToPath(new URL("../../fixtures/platform/call-through-shares.ts", import.meta.url));
const width = 24;
/** A minute is measured where requests arrive: less what their ways there may differ by. */
const minuteMs = 59_500;
const children: ChildProcess[] = [];
let server: Server;

afterEach(async () => {
  for (const child of children.splice(0)) if (child.exitCode === null && child.signalCode === null) child.kill("SIGKILL");
  server.closeAllConnections();
  server.close();
});

/** Counts the calls that are open at a time, and keeps who asked when. */
async function countingServer(answerMs = 100) {
  let open = 0;
  let most = 0;
  const arrived: { readonly at: number; readonly who: string }[] = [];
  server = createServer((request, response) => {
    arrived.push({ at: performance.now(), who: request.url?.slice(1) ?? "" });
    open += 1;
    most = Math.max(most, open);
    response.once("close", () => (open -= 1));
    setTimeout(() => response.end("ok"), answerMs);
  });
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  const { port } = server.address() as AddressInfo;
  /** Mean number of open calls over a second. */
  const fill = async () => {
    let sum = 0;
    for (let i = 0; i < 50; i += 1) {
      sum += open;
      await pause(20);
    }
    return sum / 50;
  };
  return { url: `http://127.0.0.1:${port}/`, fill, most: () => most, arrived };
}

const pause = (ms: number) => new Promise((resolve) => setTimeout(resolve, ms));

async function untilFull(fill: () => Promise<number>, ms: number): Promise<number> {
  const end = Date.now() + ms;
  let seen = await fill();
  while (seen < 0.9 * width && Date.now() < end) seen = await fill();
  return seen;
}

/** Waits for a second with so many calls open: while one process gives up its part, the other may not have looked yet. */
async function untilWithin(fill: () => Promise<number>, least: number, most: number, ms: number): Promise<number> {
  const end = Date.now() + ms;
  let seen = await fill();
  while ((seen < least || seen > most) && Date.now() < end) seen = await fill();
  return seen;
}

function startCaller(file: string, url: string, name: string, ...limits: readonly number[]): ChildProcess {
  const args = [script, file, url, String(width), name, ...limits.map(String)];
  const child = spawn(process.execPath, args, { stdio: ["ignore", "ignore", "inherit"] });
  children.push(child);
  return child;
}

it("a ceiling that is set while processes call is taken on by all of them, lower and higher, and so is its reset", async () => {
  const file = join(tempFolder(), "records.db");
  const records = sqliteRecords(file);
  const { url, fill } = await countingServer();
  for (const name of ["a", "b"]) startCaller(file, url, name);
  expect(await untilFull(fill, 20_000)).toBeGreaterThanOrEqual(0.9 * width);

  const lower: Tuning = { calls: 6, at: new Date().toISOString() };
  await records.put(tuningKey("p"), lower, null);
  const few = await untilWithin(fill, 4, 6, 10_000);
  expect(few).toBeGreaterThanOrEqual(4);
  expect(few).toBeLessThanOrEqual(6);
  expect(await fill()).toBeLessThanOrEqual(6);

  await records.remove(tuningKey("p"));
  expect(await untilFull(fill, 10_000)).toBeGreaterThanOrEqual(0.9 * width);
  records.close();
});

it("processes that join, leave and are killed keep to one ceiling and fill it again", async () => {
  const file = join(tempFolder(), "records.db");
  sqliteRecords(file).close();
  const { url, fill, most } = await countingServer();
  const start = (name: string) => startCaller(file, url, name);
  const [first] = [start("a"), start("b"), start("c")];
  expect(await untilFull(fill, 20_000)).toBeGreaterThanOrEqual(0.9 * width);
  first?.kill("SIGKILL");
  await pause(500);
  expect(await fill()).toBeLessThan(0.9 * width);
  const fourth = start("d");
  expect(await untilFull(fill, 30_000)).toBeGreaterThanOrEqual(0.9 * width);
  fourth.kill("SIGTERM");
  const [code] = (await once(fourth, "exit")) as [number | null];
  expect(code).toBe(0);
  expect(await untilFull(fill, 10_000)).toBeGreaterThanOrEqual(0.9 * width);
  expect(most()).toBeLessThanOrEqual(width);
});

it(
  "processes that join, leave and are killed keep to one limit of requests in any minute, and use it",
  { timeout: 120_000 },
  async () => {
    const limit = 300;
    const file = join(tempFolder(), "records.db");
    sqliteRecords(file).close();
    // Slow enough for all three to be there while there is something left of the first minute.
    const { url, arrived } = await countingServer(1000);
    const start = (name: string) => startCaller(file, url, name, limit);
    const [first, second] = [start("a"), start("b"), start("c")];
    await until(() => arrived.length >= limit / 2 && new Set(arrived.map(({ who }) => who)).size === 3, 20_000);
    first?.kill("SIGKILL");
    second?.kill("SIGTERM");
    start("d");
    // What the two that are gone have used counts for its minute; the others begin as the first requests pass out of theirs.
    const begun = arrived[0]?.at ?? 0;
    await pause(begun + 75_000 - performance.now());
    const most = Math.max(
      ...arrived.map(({ at: from }) => arrived.filter(({ at }) => at >= from && at < from + minuteMs).length),
    );
    expect(most).toBeLessThanOrEqual(limit);
    // What a killed one left of its part lies idle for that minute.
    expect(most).toBeGreaterThanOrEqual(0.7 * limit);
    const callers = (from: number, to: number) =>
      [...new Set(arrived.filter(({ at }) => at >= begun + from && at < begun + to).map(({ who }) => who))].toSorted();
    expect(callers(0, 20_000)).toEqual(expect.arrayContaining(["a", "b", "c"]));
    expect(callers(60_000, 75_000)).toEqual(["c", "d"]);
  },
);

async function until(holds: () => boolean, ms: number): Promise<void> {
  for (const end = Date.now() + ms; !holds() && Date.now() < end;) await pause(50);
}
