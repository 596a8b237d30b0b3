import { readFileSync, readdirSync } from "node:fs";
import { join } from "node:path";
import { DatabaseSync } from "node:sqlite";
import { beforeAll, expect, test } from "vitest";
import { attuneIn, isAlive, until } from "../support/attune.ts";

/**
 * What faults do to 200 conversations of 17 calls each, 64 wide: nothing. The same conversations are written on a calm teacher, on one that fails
 * now and then, by a worker that is killed half-way, and on one whose contents are bad; each on a stack of its own.
 */
const conversations = 200;
const turns = 8;
const width = 64;
/** Temporal's heartbeat timeout and 5 s. */
const takenOverMs = 20_000;
const settings = {
  name: "generation",
  // With this seed nobody's age and occupation are unbelievable more than twice in a row, of four draws: no conversation is lost to that.
  seed: 12,
  contexts: '["distress"]',
  "evaluate.arms": '["baseline","adapter"]',
  "converse.conversations": conversations,
  "converse.turns": turns,
  "providers.rehearsal.width": width,
  "batch.window": width,
};

type Stack = ReturnType<typeof attuneIn>;
/** A request as the teacher had it; `key` null: none of a worker's. */
interface Line {
  readonly at: string;
  readonly key: string | null;
  readonly role: string | null;
  readonly status: number;
  readonly fault: string | null;
  readonly ms: number;
}

interface Generated {
  /** The data set's file, byte for byte. */
  readonly rows: string;
  readonly counts: Readonly<Record<string, number>>;
  /** Requests of workers. */
  readonly log: readonly Line[];
  /** Answers that are recorded, and those of them that are empty or cut. */
  readonly recorded: number;
  readonly refused: number;
  /** Requests that came to nothing, by how. */
  readonly attempts: Readonly<Record<string, number>>;
}

let calm: Generated;

beforeAll(async () => {
  calm = await generate("");
});

/** Writes the conversations on a stack whose teacher has these flags; `during` runs beside it. */
async function generate(flags: string, during: (stack: Stack) => Promise<void> = async () => undefined): Promise<Generated> {
  const stack = attuneIn("generation", { ATTUNE_REHEARSAL_ARGS: flags });
  const end = await stack.startDev();
  try {
    const sets = Object.entries(settings).flatMap(([key, value]) => ["--set", `${key}=${value}`]);
    const run = stack.attune("run", "configs/experiments/smoke.yaml", "--until", "converse", ...sets, "--json");
    await during(stack);
    const { exitCode, stderr, stdout } = await run;
    expect(exitCode, `${stdout}\n${stderr}`).toBe(0);
    return { ...readData(stack.home), log: readLog(stack.home), ...readCalls(stack.home) };
  } finally {
    const pids = Object.values(stack.devFile().children).map(({ pid }) => pid);
    await end();
    await until(() => pids.every((pid) => !isAlive(pid)), 60_000, "the end of the dev stack's processes");
    stack.remove();
  }
}

function readData(home: string): Pick<Generated, "rows" | "counts"> {
  const runs = join(home, "artifacts", "runs", "generation");
  const data = join(runs, readdirSync(runs)[0] ?? "", "data");
  const file = readdirSync(data).find((name) => /^conversations-distress-[0-9a-f]{8}\.jsonl$/.test(name)) ?? "";
  const db = new DatabaseSync(join(home, "records.db"), { readOnly: true });
  const { value } = db.prepare("SELECT value FROM records WHERE key LIKE 'stage/%/converse/distress'").get() as { value: string };
  db.close();
  return {
    rows: readFileSync(join(data, file), "utf8"),
    counts: (JSON.parse(value) as { counts: Record<string, number> }).counts,
  };
}

const readLog = (home: string) =>
  readFileSync(join(home, "rehearsal.jsonl"), "utf8")
    .split("\n")
    .slice(0, -1)
    .map((line) => JSON.parse(line) as Line)
    .filter(({ key }) => key !== null);

function readCalls(home: string): Pick<Generated, "recorded" | "refused" | "attempts"> {
  const db = new DatabaseSync(join(home, "calls.db"), { readOnly: true });
  const count = (where: string) => Number(db.prepare(`SELECT COUNT(*) AS n FROM calls WHERE ${where}`).get()?.["n"]);
  const outcomes = db.prepare("SELECT outcome, COUNT(*) AS n FROM attempts GROUP BY outcome").all();
  const read = {
    recorded: count("TRUE"),
    refused: count("finishReason = 'length' OR TRIM(text) = ''"),
    attempts: Object.fromEntries(outcomes.map(({ outcome, n }) => [String(outcome), Number(n)])),
  };
  db.close();
  return read;
}

const countOf = (log: readonly Line[], is: (line: Line) => boolean) => log.filter(is).length;

/** Every conversation is done and stands in the data set, whole. */
function expectComplete({ rows, counts }: Generated): void {
  expect(counts).toEqual({ asked: conversations, done: conversations, dropped: 0, failed: 0 });
  const written = rows
    .trim()
    .split("\n")
    .map((line) => JSON.parse(line) as { unit: string; turns: { text: string }[] });
  expect(new Set(written.map(({ unit }) => unit)).size).toBe(conversations);
  expect(written).toHaveLength(conversations);
  expect(written.map(({ turns: said }) => said.length)).toEqual(Array.from({ length: conversations }, () => 2 * turns));
  expect(written.flatMap(({ turns: said }) => said).filter(({ text }) => text.trim() === "")).toEqual([]);
}

test("on a calm teacher all 200 conversations are written, each call asked once", () => {
  expectComplete(calm);
  expect(calm.log).toHaveLength(calm.recorded);
  expect([calm.refused, calm.attempts]).toEqual([0, {}]);
});

test("429, 500 and resets at 5 % of the requests change not a byte", async () => {
  const faulty = await generate("--faults 429=0.02,500=0.02,reset=0.01,seed=3");
  const [limited, broken, reset] = ["429", "500", "reset"].map((fault) => countOf(faulty.log, (line) => line.fault === fault));
  for (const times of [limited, broken, reset]) expect(times).toBeGreaterThan(10);
  expectComplete(faulty);
  expect(faulty.rows === calm.rows).toBe(true);
  // Every fault was met, noted and asked again, and nothing else was.
  expect(faulty.recorded).toBe(calm.recorded);
  expect(faulty.log).toHaveLength(calm.recorded + limited! + broken! + reset!);
  expect(faulty.attempts).toEqual({ limited, failed: broken! + reset! });
});

test("a worker killed half-way costs what was in flight, and changes not a byte", async () => {
  let killedAt = 0;
  // So slow that calls, not processors, are what there is too little of.
  const killed = await generate("--latency-ms 200", async (stack) => {
    const llm = stack.devFile().children["llm"]!.pid;
    await until(() => readLog(stack.home).length >= calm.recorded / 2, 120_000, "half of the calls");
    process.kill(llm, "SIGKILL");
    killedAt = Date.now();
    await until(() => !isAlive(llm), 5000, "the worker's end");
  });
  expectComplete(killed);
  expect(killed.rows === calm.rows).toBe(true);
  expect(killed.recorded).toBe(calm.recorded);

  const calls = killed.log.map(({ key, at, ms }) => ({ key, begin: Date.parse(at) - ms, end: Date.parse(at) }));
  expect(calls.filter(({ begin, end }) => begin < killedAt && end > killedAt).length).toBeGreaterThanOrEqual(width / 4);
  const first = new Map(calls.toReversed().map((call) => [call.key, call]));
  const again = calls.filter((call) => call !== first.get(call.key));
  expect(calls.length - killed.recorded).toBe(again.length);
  expect(again.length).toBeLessThanOrEqual(width);
  for (const { key } of again) expect(first.get(key)!.begin).toBeLessThan(killedAt + 100);
  // All that were under way: the window is no wider than the width, so that none has to wait for another.
  for (const { begin } of again) expect(begin - killedAt, "ms after the kill").toBeLessThanOrEqual(takenOverMs);
});

test("of empty and cut answers none stands in a row, and no conversation is lost", async () => {
  const bad = await generate("--faults empty=0.025,truncated=0.025,seed=5");
  const faults = ["empty", "truncated"].map((fault) => countOf(bad.log, (line) => line.fault === fault));
  for (const times of faults) expect(times).toBeGreaterThan(20);
  expectComplete(bad);
  // Each is recorded and paid once, as every other answer is, and costs one more of its kind.
  expect(bad.refused).toBe(faults[0]! + faults[1]!);
  expect([bad.log.length, bad.attempts]).toEqual([bad.recorded, {}]);
  for (const role of ["simulatedUser", "assistant"]) {
    const own = bad.log.filter((line) => line.role === role);
    expect(own.length - countOf(own, ({ fault }) => fault !== null), role).toBe(conversations * turns);
  }
});
