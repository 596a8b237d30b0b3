import { readFileSync } from "node:fs";
import { join } from "node:path";
import { DatabaseSync } from "node:sqlite";
import { Client, Connection } from "@temporalio/client";
import { afterAll, beforeAll, expect, test, vi } from "vitest";
import { fileIn } from "../../bench/measure.ts";
import { superviseChild } from "../../workers/dev/child.ts";
import { freePort } from "../../workers/dev/ports.ts";
import { attuneIn, isAlive, projectRoot, until } from "../support/attune.ts";
import { pendingOn } from "../support/identities.ts";

/**
 * One provider's width over several llm workers. Three write a run: one is killed at a third of it, another joins at half. The three that are left
 * then write other conversations twice, on a calm teacher and on one that answers a stray 429 now and then.
 */
const width = 48;
const [conversations, fewer, turns] = [400, 120, 8];
const callsEach = 1 + 2 * turns;
/** So long that calls, not processors, are what there is too little of. */
const latencyMs = 400;
const slow = ["--latency-ms", String(latencyMs)];
/** Temporal's heartbeat timeout and 5 s: another worker is at a killed one's conversations by then. */
const takenOverMs = 20_000;
const spanMs = 4000;

const strayPort = await freePort(0);
vi.stubEnv("ATTUNE_STRAY_URL", `http://127.0.0.1:${strayPort}/v1`);
const stack = attuneIn("workers", { ATTUNE_REHEARSAL_ARGS: slow.join(" ") });
const logs = { rehearsal: join(stack.home, "rehearsal.jsonl"), stray: join(stack.home, "stray.jsonl") };
const printed: string[] = [];
const pids: number[] = [];
/** What ends all that was started, oldest first. */
const ends: (() => unknown)[] = [stack.remove];
let client: Client;
let calls: Calls;
let attempts: Awaited<ReturnType<typeof attemptsOf>>;
let killed: { readonly worker: string; readonly at: number; readonly open: number };
let joinedAt: number;

async function start(name: string, ready: string, script: string, ...args: readonly string[]) {
  const command: [string, ...string[]] = [process.execPath, join(projectRoot, script), ...args];
  const onLine = (_: string, line: string) => void printed.push(`${name}: ${line}`);
  const onStart = (pid: number) => void pids.push(pid);
  const child = superviseChild({ name, command, cwd: projectRoot, env: process.env, restart: false, onLine, onStart });
  ends.push(() => child.stop(15_000));
  await until(() => printed.some((line) => line.startsWith(`${name}: `) && line.includes(ready)), 60_000, `the ${name}`);
  return child.pid!;
}

const startWorker = (name: string) => start(name, "polls", "workers/main.ts", "llm");

beforeAll(async () => {
  ends.push(await stack.startDev());
  const { children, temporalAddress, rehearsalUrl } = stack.devFile();
  pids.push(...Object.values(children).map(({ pid }) => pid));
  vi.stubEnv("ATTUNE_HOME", stack.home);
  vi.stubEnv("ATTUNE_REHEARSAL_URL", rehearsalUrl);
  vi.stubEnv("TEMPORAL_ADDRESS", temporalAddress);
  client = new Client({ connection: await Connection.connect({ address: temporalAddress }) });
  ends.push(() => client.connection.close());
  const [pid] = await Promise.all([startWorker("second"), startWorker("third")]);
  calls = await converse("three", conversations, "rehearsal", async () => {
    await until(() => linesOf(logs.rehearsal).length > (conversations * callsEach) / 3, 120_000, "a third of the calls");
    const open = (await pendingOn(client))(`llm ${pid}@`);
    killed = { worker: `llm ${pid}@`, open, at: Date.now() };
    process.kill(pid, "SIGKILL");
    await until(() => linesOf(logs.rehearsal).length > (conversations * callsEach) / 2, 120_000, "half of the calls");
    await startWorker("fourth");
    joinedAt = Date.now();
  });
  attempts = await attemptsOf("three");
});

afterAll(async () => {
  for (const end of ends.toReversed()) await end();
  await until(() => pids.every((pid) => !isAlive(pid)), 60_000, "the end of all that was started");
});

const linesOf = (file: string) => readFileSync(file, "utf8").split("\n").slice(0, -1);
const rowsOf = (name: string) =>
  linesOf(fileIn(join(stack.home, "artifacts", "runs", name), /conversations-distress-[0-9a-f]{8}\.jsonl$/));

/** Writes conversations by `attune run`, while `during` goes on; answers the calls as the teacher had them, ms. */
async function converse(name: string, count: number, teacher: keyof typeof logs, during?: () => Promise<void>) {
  const baseUrlEnv = `ATTUNE_${teacher.toUpperCase()}_URL`;
  const model = JSON.stringify({ provider: name, model: "rehearsal" });
  const settings = {
    name,
    contexts: '["distress"]',
    [`providers.${name}`]: JSON.stringify({ baseUrlEnv, rehearsal: true, width }),
    ...Object.fromEntries(["teacher", "simulatedUser", "judge"].map((role) => [`models.${role}`, model])),
    "evaluate.arms": '["baseline","adapter"]',
    "converse.conversations": count,
    "converse.turns": turns,
    "batch.window": 3 * width,
  };
  const sets = Object.entries(settings).flatMap(([key, value]) => ["--set", `${key}=${value}`]);
  const from = linesOf(logs[teacher]).length;
  const run = stack.attune("run", "configs/experiments/smoke.yaml", "--until", "converse", ...sets, "--json");
  ends.push(() => run.kill());
  const late = setTimeout(() => run.kill(), 180_000);
  const ended = run.then(({ exitCode, stdout, stderr }) =>
    expect(exitCode, [stdout, stderr, ...printed.slice(-20)].join("\n")).toBe(0),
  );
  await Promise.all([during?.(), ended]).finally(() => clearTimeout(late));
  expect(rowsOf(name).length, "conversations that are kept").toBeGreaterThan(0.95 * count);
  return linesOf(logs[teacher])
    .slice(from)
    .map((line) => JSON.parse(line) as { at: string; key: string; role: string; status: number; ms: number })
    .map(({ at, ms, ...call }) => ({ ...call, begin: Date.parse(at) - ms, end: Date.parse(at) }));
}

type Calls = Awaited<ReturnType<typeof converse>>;

/** Each unit's last attempt, as its shard's history has it; `begun` in ms. */
async function attemptsOf(name: string) {
  const found: { readonly number: number; readonly worker: string; readonly begun: number }[] = [];
  for await (const { workflowId } of client.workflow.list({ query: `WorkflowId STARTS_WITH 'exp/${name}/'` })) {
    const { events } = await client.workflow.getHandle(workflowId).fetchHistory();
    const scheduled = new Map(events?.map((event) => [String(event.eventId), event.activityTaskScheduledEventAttributes]));
    for (const { activityTaskStartedEventAttributes: started, eventTime } of events ?? []) {
      if (scheduled.get(String(started?.scheduledEventId))?.activityType?.name !== "converse") continue;
      const begun = Number(eventTime?.seconds) * 1000 + Number(eventTime?.nanos) / 1e6;
      found.push({ number: started!.attempt!, worker: started!.identity!, begun });
    }
  }
  return found;
}

/** Most calls open at a time. A teacher that is put aside between its two looks at the clock dates a call's begin back: the first 15 ms don't count. */
function mostOpen(calls: Calls): number {
  const steps = calls.flatMap(({ begin, end }) => [[Math.min(begin + 15, end), 1] as const, [end, -1] as const]);
  let [open, most] = [0, 0];
  for (const [, step] of steps.toSorted(([a, x], [b, y]) => a - b || x - y)) most = Math.max(most, (open += step));
  return most;
}

/** How much of the width is in flight on average, 0–1. */
const fill = (calls: Calls, from: number, to = from + spanMs) =>
  calls.reduce((sum, { begin, end }) => sum + Math.max(0, Math.min(end, to) - Math.max(begin, from)), 0) / (to - from) / width;
const endOf = (calls: Calls) => Math.max(...calls.map(({ end }) => end));

/** How long after a moment 90 % of the width have been in flight, ms. */
function fullAfter(calls: Calls, moment: number): number {
  for (let at = moment; at <= endOf(calls) - spanMs; at += 250) if (fill(calls, at) >= 0.9) return at + spanMs - moment;
  return Number.POSITIVE_INFINITY;
}

test("three llm workers, one killed and one added, never have more calls in flight than the ceiling", () => {
  expect(mostOpen(calls)).toBeLessThanOrEqual(width);
  expect(mostOpen(calls)).toBeGreaterThanOrEqual(0.9 * width);
});

test("llm workers are back at 90 % of the ceiling within 60 s of the kill and of the one that joins", () => {
  expect(fill(calls, killed.at + 1000)).toBeLessThan(0.9);
  expect(fullAfter(calls, killed.at)).toBeLessThanOrEqual(60_000);
  expect(fullAfter(calls, joinedAt)).toBeLessThanOrEqual(60_000);
  expect(new Set(attempts.map(({ worker }) => worker)).size).toBe(4);
});

test("llm workers go on with every conversation of the killed one within heartbeat timeout + 5 s", () => {
  const taken = attempts.filter(({ number }) => number > 1);
  // Some end or begin between the look and the kill; many more would be those of a living worker that was taken for dead.
  expect(Math.abs(taken.length - killed.open)).toBeLessThanOrEqual(0.2 * killed.open);
  for (const { number, worker, begun } of taken) {
    expect(number).toBe(2);
    expect(worker).not.toMatch(killed.worker);
    expect(begun).toBeGreaterThan(killed.at);
    expect(begun - killed.at).toBeLessThanOrEqual(takenOverMs);
  }
  const first = new Map(calls.toReversed().map((call) => [call.key, call]));
  const again = calls.filter((call) => call !== first.get(call.key));
  expect(again.length, "calls that were in flight").toBeGreaterThanOrEqual(width / 6);
  expect(again.length).toBeLessThanOrEqual(width);
  for (const { key } of again) expect(first.get(key)!.begin).toBeLessThan(killed.at);
  // Who has said nothing yet stands in line with those that were not begun; of the others the furthest goes first.
  const begun = again.filter(({ role }) => role !== "persona").map(({ begin }) => begin - killed.at);
  expect(Math.max(...begun)).toBeLessThanOrEqual(takenOverMs + callsEach * latencyMs);
});

test("2 % stray 429s cost at most 20 % of the width, and no conversation or attempt", async () => {
  const flags = ["--port", String(strayPort), "--log", logs.stray, ...slow, "--faults", "429=0.02,seed=4"];
  await start("teacher", '{"url"', "rehearsal/main.ts", ...flags);
  const calm = await converse("calm", fewer, "rehearsal");
  const stray = await converse("stray", fewer, "stray");
  const limited = stray.filter(({ status }) => status === 429).length;
  expect(limited / stray.length).toBeGreaterThan(0.015);
  expect(mostOpen(stray)).toBeLessThanOrEqual(width);
  const took = [calm, stray].map((calls) => endOf(calls) - Math.min(...calls.map(({ begin }) => begin)));
  expect(took[0]! / took[1]!, `calm and stray took ${took.join(" and ")} ms`).toBeGreaterThanOrEqual(0.8);
  expect(rowsOf("stray")).toEqual(rowsOf("calm"));
  const numbers = (await attemptsOf("stray")).map(({ number }) => number);
  expect(numbers).toEqual(Array.from({ length: fewer }, () => 1));
  const db = new DatabaseSync(join(stack.home, "calls.db"), { readOnly: true });
  const noted = db.prepare("SELECT outcome, COUNT(*) AS times FROM attempts WHERE provider = 'stray' GROUP BY outcome").all();
  db.close();
  expect(noted.map((row) => ({ ...row }))).toEqual([{ outcome: "limited", times: limited }]);
});
