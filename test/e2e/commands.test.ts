import { join } from "node:path";
import { Client, Connection } from "@temporalio/client";
import { afterAll, afterEach, beforeAll, expect, test } from "vitest";
import { callSeed } from "../../platform/llm/key.ts";
import { attuneIn, isAlive, until } from "../support/attune.ts";
import { launched, leftIn } from "../support/left-in.ts";
import { again, answered, keysOf, listenTo } from "../support/teacher-log.ts";
import { teacherProxy, type Wrong } from "../support/teacher-proxy.ts";

/**
 * What a person does about a run that grows or stands still: `run --extend`, `budget raise`, `resume`, `retry`; on one stack, with real conversations.
 * What is asked is read from the teacher's own log. Runs differ by their seed, so that none re-reads another's calls.
 */
const turns = 2;
const window = 4;
/** A persona, and two messages a turn. */
const callsEach = 1 + 2 * turns;
/** More than a conversation asks of any kind, implausible people and messages asked again included. */
const mostSamples = 8;

/** By a request's seed, what goes wrong with it now. */
let wrong: (seed: number) => Wrong | null = () => null;
const proxy = await teacherProxy(
  () => stack.devFile().rehearsalUrl,
  (seed) => wrong(seed),
);
const stack = attuneIn("commands", { ATTUNE_PROXY_URL: proxy.url, ATTUNE_REHEARSAL_ARGS: "--latency-ms 100" });
const { rowsOf, unitStates, reread } = leftIn(stack.home);
let end: () => Promise<void>;
let client: Client;

beforeAll(async () => {
  end = await stack.startDev();
  client = new Client({ connection: await Connection.connect({ address: stack.devFile().temporalAddress }) });
});

afterAll(async () => {
  const pids = Object.values(stack.devFile().children).map(({ pid }) => pid);
  await client.connection.close();
  await end();
  proxy.close();
  await until(() => pids.every((pid) => !isAlive(pid)), 60_000, "the end of the dev stack's processes");
  stack.remove();
});

afterEach(() => {
  wrong = () => null;
});

/** The teacher's log from here on. */
const listen = () => listenTo(join(stack.home, "rehearsal.jsonl"));

function run(name: string, settings: Readonly<Record<string, string | number>>, ...flags: readonly string[]) {
  const sets = Object.entries({
    name,
    contexts: '["distress"]',
    "evaluate.arms": '["baseline","adapter"]',
    "converse.turns": turns,
    "batch.window": window,
    "providers.rehearsal": '{"baseUrlEnv":"ATTUNE_PROXY_URL","rehearsal":true,"width":16}',
    ...settings,
  }).flatMap(([key, value]) => ["--set", `${key}=${value}`]);
  return stack.attune("run", "configs/experiments/smoke.yaml", "--until", "converse", ...sets, "--json", ...flags);
}

/** What a run is held for, where a person looks: `status`, the list of runs, and its page in the UI. */
async function heldFor(name: string, workflowId: string) {
  const { exitCode, stdout } = await stack.attune("status", name);
  const handle = client.workflow.getHandle(workflowId);
  const { typedSearchAttributes } = await handle.describe();
  const { currentDetails = "" } = await handle.query<{ currentDetails?: string }>("__temporal_workflow_metadata");
  const reason = typedSearchAttributes.getAll().find(({ key }) => key.name === "AttuneHoldReason")?.value ?? null;
  return { exitCode, status: stdout, reason, details: currentDetails };
}

const toItsEnd = (name: string) => stack.attune("status", name, "--follow");

const seedOf = (seed: number, unit: number, turn: number, sample: number) =>
  callSeed({ unit: `${seed}/converse/pairs/distress-${String(unit).padStart(5, "0")}`, turn, sample, epoch: "" });

/** Tells by a call's key which of a run's units asked it; undefined for other runs' and contexts'. */
function askingUnit(seed: number, units: number): (key: string) => number | undefined {
  const found = new Map<number, number>();
  for (let unit = 0; unit < units; unit += 1)
    for (let turn = 0; turn <= turns; turn += 1)
      for (let sample = 0; sample < mostSamples; sample += 1) found.set(seedOf(seed, unit, turn, sample), unit);
  return (key) => found.get(proxy.seeds.get(key) ?? -1);
}

test("run --extend asks for what was added alone: more conversations, then another context", async () => {
  const [first, more] = [12, 20];
  const grown = (conversations: number) => ({ seed: 101, "converse.conversations": conversations });
  const nobody = await run("grows", grown(first), "--extend");
  expect(nobody).toMatchObject({ exitCode: 2, stderr: expect.stringMatching(/Nothing of this name was run here/) });

  const firstLog = listen();
  const short = await run("grows", grown(first));
  expect(short.exitCode, short.stderr).toBe(0);
  const asked = new Set(answered(firstLog()));
  const rows = rowsOf("grows", launched(short.stdout));
  expect(rows).toHaveLength(first);

  const refused = await run("grows", { ...grown(more), "converse.maxTokens": 121 }, "--extend");
  expect(refused).toMatchObject({
    exitCode: 2,
    stderr: expect.stringMatching(/does more than add[^]*converse\.maxTokens: 120 → 121/),
  });

  const secondLog = listen();
  const long = await run("grows", grown(more), "--extend");
  expect(long.exitCode, long.stderr).toBe(0);
  expect(long.stderr).toMatch(/Extends exp\/grows\/[0-9a-f]{12}:\n {2}converse\.conversations: 12 → 20\n.*\(converse 12\)/);
  const added = keysOf(secondLog());
  expect(added.filter((key) => asked.has(key))).toEqual([]);
  const unitOf = askingUnit(101, more);
  expect(new Set(added.map(unitOf))).toEqual(new Set([12, 13, 14, 15, 16, 17, 18, 19]));
  expect(again(secondLog())).toEqual([]);
  const longRows = rowsOf("grows", launched(long.stdout));
  expect(longRows).toHaveLength(more);
  expect(longRows.slice(0, first)).toEqual(rows);

  const thirdLog = listen();
  const wide = await run("grows", { ...grown(more), contexts: '["distress","learning"]' }, "--extend");
  expect(wide.exitCode, wide.stderr).toBe(0);
  const other = keysOf(thirdLog());
  expect(other.length).toBeGreaterThanOrEqual(more * callsEach);
  expect(other.filter((key) => unitOf(key) !== undefined)).toEqual([]);
  expect(rowsOf("grows", launched(wide.stdout))).toEqual(longRows);
  expect(rowsOf("grows", launched(wide.stdout), "learning")).toHaveLength(more);

  // Without the flag the same happens and is told in the same words; the flag only refuses what would be more than growth.
  const last = listen();
  const plain = await run("grows", { ...grown(more + 1), contexts: '["distress","learning"]' });
  expect(plain.exitCode, plain.stderr).toBe(0);
  expect(plain.stderr).toMatch(/Extends exp\/grows\/[0-9a-f]{12}:/);
  expect(keysOf(last()).filter((key) => unitOf(key) !== undefined)).toEqual([]);
});

test("a cap that is reached in mid-run holds it within seconds; budget raise lets it go on, and nothing is paid twice", async () => {
  const [conversations, cap] = [20, 50];
  const log = listen();
  const settings = { seed: 202, "converse.conversations": conversations, "budget.maxCalls": cap };
  const { exitCode, stdout, stderr } = await run("capped", settings);
  const ended = Date.now();
  expect(exitCode, stderr).toBe(4);
  const { workflowId, digest } = launched(stdout);
  expect(ended - Date.parse(log().at(-1)?.at ?? "")).toBeLessThan(8000);
  const spent = answered(log());
  expect(spent.length).toBeLessThan(conversations * callsEach);
  expect(spent.length).toBeGreaterThan(window * callsEach);
  expect(spent.length).toBeLessThanOrEqual(cap);

  const held = await heldFor("capped", workflowId);
  expect(held).toMatchObject({ exitCode: 4, reason: "budget" });
  const remedy = `npx attune budget raise capped --calls ${2 * cap}`;
  expect(held.status).toMatch(/Held \(budget\): The budget is used up: \d+ of 50 calls are spent/);
  expect(held.status).toContain(remedy);
  expect(held.details).toMatch(/^\*\*Held \(budget\)\.\*\* The budget is used up: \d+ of 50 calls are spent/);
  expect(held.details).toContain(remedy);
  expect(answered(log())).toEqual(spent);

  const raised = await stack.attune("budget", "raise", "capped", "--calls", "1000");
  expect(raised.exitCode, raised.stderr).toBe(0);
  expect(await toItsEnd("capped")).toMatchObject({ exitCode: 0 });
  expect(again(log())).toEqual([]);
  expect(rowsOf("capped", { workflowId, digest })).toHaveLength(conversations);
});

test("a key that is refused in mid-run holds it within seconds; mended and resumed, it goes on and asks for no recorded call", async () => {
  const conversations = 16;
  const log = listen();
  const running = run("refused", { seed: 303, "converse.conversations": conversations });
  await until(() => answered(log()).length >= 5 * callsEach, 60_000, "five conversations' calls");
  wrong = () => "auth";
  const since = Date.now();
  const { exitCode, stdout, stderr } = await running;
  expect(exitCode, stderr).toBe(4);
  expect(Date.now() - since).toBeLessThan(10_000);
  const launch = launched(stdout);
  const held = await heldFor("refused", launch.workflowId);
  expect(held).toMatchObject({ exitCode: 4, reason: "auth" });
  expect(held.status).toMatch(
    /Held \(auth\): rehearsal \(rehearsal@[0-9a-f]{8}\): 401 .*\nSet a valid key .*then: npx attune resume/,
  );
  expect(held.details).toMatch(/^\*\*Held \(auth\)\.\*\* rehearsal \(rehearsal@[0-9a-f]{8}\): 401 [^]*Set a valid key/);
  // Each conversation that was open was refused once, and nothing has begun since.
  const refusals = log().filter(({ status }) => status === 401);
  expect(refusals.length).toBeGreaterThan(0);
  expect(refusals.length).toBeLessThanOrEqual(window);

  wrong = () => null;
  const resumed = await stack.attune("resume", "refused");
  expect(resumed.exitCode, resumed.stderr).toBe(0);
  expect(await toItsEnd("refused")).toMatchObject({ exitCode: 0 });
  expect(again(log())).toEqual([]);
  expect(log().filter(({ status }) => status === 401)).toEqual(refusals);
  expect(rowsOf("refused", launch)).toHaveLength(conversations);
});

test("retry works the units again that failed or were dropped, with more samples, and no other", async () => {
  const [conversations, samples] = [12, 2];
  const unitOf = askingUnit(404, conversations);
  const [mute, unreadable] = [[3, 7, 11], 9];
  const muted = new Set(mute.flatMap((unit) => [0, 1].map((sample) => seedOf(404, unit, 1, sample))));
  let refuses = true;
  wrong = (seed) => {
    if (muted.has(seed)) return "empty";
    return refuses && seed === seedOf(404, unreadable, 2, 0) ? "unreadable" : null;
  };
  const log = listen();
  const settings = { seed: 404, "converse.conversations": conversations, "converse.sampleLimit": samples, "batch.window": 16 };
  const { exitCode, stdout, stderr } = await run("gaps", settings);
  expect(exitCode, stderr).toBe(4);
  const launch = launched(stdout);
  await until(() => unitStates("gaps").size === conversations, 20_000, "the outcome of every unit");
  const states = unitStates("gaps");
  expect(mute.map((unit) => states.get(unit))).toEqual(["dropped user-empty", "dropped user-empty", "dropped user-empty"]);
  expect(states.get(unreadable)).toBe("failed refused-request");
  expect([...states.values()].filter((state) => state === "done")).toHaveLength(8);
  const held = await heldFor("gaps", launch.workflowId);
  expect(held).toMatchObject({ exitCode: 4, reason: "kept-share" });
  expect(held.status).toMatch(/Held \(kept-share\): converse distress: .*of 12 \(.*\); at least 90 % must be kept/);
  expect(held.status).toContain("npx attune retry gaps --samples");
  expect(held.details).toMatch(/^\*\*Held \(kept-share\)\.\*\*/);

  refuses = false;
  const before = log().length;
  const tooFew = await stack.attune("retry", "gaps", "--samples", String(samples));
  expect(tooFew).toMatchObject({ exitCode: 1, stderr: expect.stringMatching(/refused/) });
  const retried = await stack.attune("retry", "gaps", "--samples", "4");
  expect(retried.exitCode, retried.stderr).toBe(0);
  expect(await toItsEnd("gaps")).toMatchObject({ exitCode: 0 });
  const after = keysOf(log().slice(before));
  expect(new Set(after.map(unitOf))).toEqual(new Set([...mute, unreadable]));
  expect(again(log())).toEqual([]);
  // The others' calls were not so much as looked up.
  expect(new Set(reread(launch).map(unitOf))).toEqual(new Set([...mute, unreadable]));
  expect([...unitStates("gaps").values()]).toEqual(Array.from({ length: conversations }, () => "done"));
  expect(rowsOf("gaps", launch)).toHaveLength(conversations);
});
