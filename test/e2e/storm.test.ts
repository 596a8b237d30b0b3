import { readFileSync } from "node:fs";
import { join } from "node:path";
import { DatabaseSync } from "node:sqlite";
import { Client, Connection } from "@temporalio/client";
import { afterAll, beforeAll, expect, test } from "vitest";
import { fileIn } from "../../bench/measure.ts";
import { attuneIn, isAlive, until } from "../support/attune.ts";

/**
 * The teacher refuses everyone for two minutes in the middle of a run. The same conversations are then written once more, when the storm is over;
 * a provider of another name has records and limits of its own.
 */
const width = 16;
const [conversations, turns] = [60, 8];
/** So long that calls, not processors, are what there is too little of. */
const latencyMs = 400;
const stormMs = 120_000;
const stormFlags = ["--storm-after-calls", "400", "--storm-seconds", String(stormMs / 1000)];
/** Over which calls in flight are averaged. */
const spanMs = 4000;
/** Eleven cuts to three quarters, one for each `retry-after` of 1 s, bring 16 calls in flight down to one. */
const cutDownMs = 20_000;

const stack = attuneIn("storm", { ATTUNE_REHEARSAL_ARGS: ["--latency-ms", latencyMs, ...stormFlags].join(" ") });
const ends: (() => unknown)[] = [stack.remove];
let stormy: Written;
let calm: Written;
let attempts: readonly number[];

beforeAll(async () => {
  const end = await stack.startDev();
  const { children, temporalAddress } = stack.devFile();
  const pids = Object.values(children).map(({ pid }) => pid);
  ends.push(() => until(() => pids.every((pid) => !isAlive(pid)), 60_000, "the end of the dev stack's processes"), end);
  stormy = await converse("stormy");
  calm = await converse("calm");
  attempts = await attemptsOf("stormy", temporalAddress);
});

afterAll(async () => {
  for (const end of ends.toReversed()) await end();
});

const linesOf = (file: string) => readFileSync(file, "utf8").split("\n").slice(0, -1);
const loggedCalls = () => linesOf(join(stack.home, "rehearsal.jsonl"));

/** Writes the conversations by `attune run`; answers rows, counts, and the calls as the teacher had them, ms. */
async function converse(name: string) {
  const model = JSON.stringify({ provider: name, model: "rehearsal" });
  const settings = {
    name,
    contexts: '["distress"]',
    [`providers.${name}`]: JSON.stringify({ baseUrlEnv: "ATTUNE_REHEARSAL_URL", rehearsal: true, width }),
    ...Object.fromEntries(["teacher", "simulatedUser", "judge"].map((role) => [`models.${role}`, model])),
    "evaluate.arms": '["baseline","adapter"]',
    "converse.conversations": conversations,
    "converse.turns": turns,
    "batch.window": 40,
  };
  const sets = Object.entries(settings).flatMap(([key, value]) => ["--set", `${key}=${value}`]);
  const from = loggedCalls().length;
  const run = stack.attune("run", "configs/experiments/smoke.yaml", "--until", "converse", ...sets, "--json");
  ends.push(() => run.kill());
  const { exitCode, stdout, stderr } = await run;
  expect(exitCode, `${stdout}\n${stderr}`).toBe(0);
  const calls = loggedCalls()
    .slice(from)
    .map((line) => JSON.parse(line) as { at: string; key: string; status: number; fault: string | null; ms: number })
    .map(({ at, ms, ...call }) => ({ ...call, begin: Date.parse(at) - ms, end: Date.parse(at) }));
  const rows = linesOf(fileIn(join(stack.home, "artifacts", "runs", name), /conversations-distress-[0-9a-f]{8}\.jsonl$/));
  return { rows, counts: countsOf(name), calls };
}

type Written = Awaited<ReturnType<typeof converse>>;
type Calls = Written["calls"];

function select(file: string, sql: string, value: string) {
  const db = new DatabaseSync(join(stack.home, file), { readOnly: true });
  try {
    return db
      .prepare(sql)
      .all(value)
      .map((row) => ({ ...row }));
  } finally {
    db.close();
  }
}

function countsOf(name: string): Readonly<Record<string, number>> {
  const [found] = select("records.db", "SELECT value FROM records WHERE key LIKE ?", `stage/${name}/%/converse/distress`);
  return (JSON.parse(String(found?.["value"])) as { counts: Record<string, number> }).counts;
}

/** The attempt of every activity that was begun, as the histories of the run and its children have it. */
async function attemptsOf(name: string, address: string) {
  const connection = await Connection.connect({ address });
  const { workflow } = new Client({ connection });
  const found: number[] = [];
  for await (const { workflowId } of workflow.list({ query: `WorkflowId STARTS_WITH 'exp/${name}/'` })) {
    const { events } = await workflow.getHandle(workflowId).fetchHistory();
    for (const { activityTaskStartedEventAttributes: begun } of events ?? []) if (begun) found.push(begun.attempt!);
  }
  await connection.close();
  return found;
}

const refusedIn = ({ calls }: Written) => calls.filter(({ fault }) => fault === "storm");
const stormBegan = () => Math.min(...refusedIn(stormy).map(({ begin }) => begin));
const begunIn = (calls: Calls, from: number, to: number) => calls.filter(({ begin }) => begin >= from && begin < to);

/** How much of the width is in flight on average, 0–1. */
const fill = (calls: Calls, from: number, to = from + spanMs) =>
  calls.reduce((sum, { begin, end }) => sum + Math.max(0, Math.min(end, to) - Math.max(begin, from)), 0) / (to - from) / width;

test("two minutes of nothing but 429 lose no conversation, repeat no call and use up no attempt", () => {
  expect(stormy.counts).toEqual(calm.counts);
  expect(stormy.counts).toMatchObject({ asked: conversations, failed: 0 });
  expect(stormy.rows).toEqual(calm.rows);
  expect(stormy.rows).toHaveLength(calm.counts["done"] ?? 0);

  const answered = stormy.calls.filter(({ status }) => status === 200).map(({ key }) => key);
  expect(new Set(answered).size).toBe(answered.length);
  expect(answered.length).toBe(calm.calls.length);
  expect(answered.length + refusedIn(stormy).length).toBe(stormy.calls.length);
  expect(attempts.length).toBeGreaterThan(conversations);
  expect(new Set(attempts)).toEqual(new Set([1]));
  const sql = "SELECT outcome, COUNT(*) AS times FROM attempts WHERE provider = ? GROUP BY outcome";
  expect(select("calls.db", sql, "stormy")).toEqual([{ outcome: "limited", times: refusedIn(stormy).length }]);
});

test("requests of a storm are bounded: the width's worth in a second, then two, and they never cease", () => {
  const [from, to] = [stormBegan(), stormBegan() + stormMs];
  expect(begunIn(stormy.calls, from + 500, to - 500).filter(({ fault }) => fault !== "storm")).toEqual([]);
  const refused = refusedIn(stormy);
  // The third 429 makes a burst, after which none is asked for the `retry-after` of 1 s; two calls have taken the places of the first two.
  for (let at = from; at < to; at += 100) expect(begunIn(refused, at, at + 1000).length).toBeLessThanOrEqual(width + 2);
  // With a width of one or two the second makes it.
  const late = begunIn(refused, from + cutDownMs, to).length;
  expect(late).toBeLessThanOrEqual((2 * (stormMs - cutDownMs)) / 1000);
  for (let at = from; at < to - 5000; at += 1000) expect(begunIn(refused, at, at + 5000)).not.toEqual([]);
});

/** The fullest span between two moments. */
function fullest(calls: Calls, from: number, to: number): number {
  let most = 0;
  for (let at = from; at <= to - spanMs; at += 250) most = Math.max(most, fill(calls, at));
  return most;
}

test("the width is full before a storm and, within 60 s, after it", () => {
  const [from, to] = [stormBegan(), stormBegan() + stormMs];
  expect(fullest(stormy.calls, from - 10_000, from)).toBeGreaterThanOrEqual(0.9);
  expect(fill(stormy.calls, to - spanMs)).toBeLessThan(0.2);
  expect(fullest(stormy.calls, to, to + 60_000)).toBeGreaterThanOrEqual(0.9);
});
