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
const settings = {
  name: "generation",
  contexts: '["distress"]',
  "evaluate.arms": '["baseline","adapter"]',
  "converse.conversations": conversations,
  "converse.turns": turns,
  "providers.rehearsal.width": width,
  "batch.window": width,
};

type Stack = ReturnType<typeof attuneIn>;
interface Line {
  readonly key: string | null;
  readonly status: number;
  readonly fault: string | null;
}

interface Generated {
  /** The data set's file, byte for byte. */
  readonly rows: string;
  readonly counts: Readonly<Record<string, number>>;
  readonly log: readonly Line[];
  readonly recorded: number;
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
    return { ...readData(stack.home), log: readLog(stack.home), recorded: recordedCalls(stack.home) };
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
    .trim()
    .split("\n")
    .filter((line) => line !== "")
    .map((line) => JSON.parse(line) as Line);

function recordedCalls(home: string): number {
  const db = new DatabaseSync(join(home, "calls.db"), { readOnly: true });
  const { calls } = db.prepare("SELECT COUNT(*) AS calls FROM calls").get() as { calls: number };
  db.close();
  return calls;
}

function turnsOf({ rows }: Generated): readonly (readonly { text: string }[])[] {
  return rows
    .trim()
    .split("\n")
    .map((line) => (JSON.parse(line) as { turns: { text: string }[] }).turns);
}

test("on a calm teacher every conversation is written but for implausible people, each call asked once", () => {
  const { done = 0, "dropped:implausible-persona": implausible = 0 } = calm.counts;
  expect(calm.counts).toMatchObject({ asked: conversations, failed: 0, dropped: implausible });
  expect(done + implausible).toBe(conversations);
  expect(implausible).toBeLessThanOrEqual(2);
  expect(turnsOf(calm).every((said) => said.length === 2 * turns)).toBe(true);
  expect(calm.log.filter(({ key }) => key !== null)).toHaveLength(calm.recorded);
});

test("429, 500 and resets at 5 % of the requests change not a byte", async () => {
  const faulty = await generate("--faults 429=0.02,500=0.02,reset=0.01,seed=3");
  for (const fault of ["429", "500", "reset"])
    expect(faulty.log.filter((line) => line.fault === fault).length).toBeGreaterThan(10);
  expect(faulty.counts).toEqual(calm.counts);
  expect(faulty.rows === calm.rows).toBe(true);
  expect(faulty.recorded).toBe(calm.recorded);
});

test("a worker killed half-way costs what was in flight, and changes not a byte", async () => {
  const half = calm.recorded / 2;
  const killed = await generate("--latency-ms 50", async (stack) => {
    const llm = () => stack.devFile().children["llm"]?.pid ?? 0;
    const answered = () => readLog(stack.home).filter(({ key }) => key !== null).length;
    await until(() => answered() >= half, 120_000, "half of the calls");
    process.kill(llm(), "SIGKILL");
  });
  const asked = killed.log.filter(({ key, status }) => key !== null && status === 200).length;
  expect(asked - killed.recorded).toBeLessThanOrEqual(width);
  expect(killed.counts).toEqual(calm.counts);
  expect(killed.rows === calm.rows).toBe(true);
});

test("of empty and cut answers none stands in a row, and no conversation is lost", async () => {
  const bad = await generate("--faults empty=0.025,truncated=0.025,seed=5");
  for (const fault of ["empty", "truncated"]) expect(bad.log.filter((line) => line.fault === fault).length).toBeGreaterThan(20);
  expect(bad.counts).toEqual(calm.counts);
  expect(turnsOf(bad).every((said) => said.length === 2 * turns && said.every(({ text }) => text.trim() !== ""))).toBe(true);
});
