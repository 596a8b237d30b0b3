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
const answerMs = 100;
const children: ChildProcess[] = [];
let server: Server;

afterEach(async () => {
  for (const child of children.splice(0)) if (child.exitCode === null && child.signalCode === null) child.kill("SIGKILL");
  server.closeAllConnections();
  server.close();
});

/** Counts the calls that are open at a time. */
async function countingServer() {
  let open = 0;
  let most = 0;
  server = createServer((_, response) => {
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
  return { url: `http://127.0.0.1:${port}/`, fill, most: () => most };
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

it("a ceiling that is set while processes call is taken on by all of them, lower and higher, and so is its reset", async () => {
  const file = join(tempFolder(), "records.db");
  const records = sqliteRecords(file);
  const { url, fill } = await countingServer();
  for (const name of ["a", "b"])
    children.push(spawn(process.execPath, [script, file, url, String(width), name], { stdio: ["ignore", "ignore", "inherit"] }));
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
  const start = (name: string) => {
    const child = spawn(process.execPath, [script, file, url, String(width), name], { stdio: ["ignore", "ignore", "inherit"] });
    children.push(child);
    return child;
  };
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
