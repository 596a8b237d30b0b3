import { existsSync, readdirSync, readFileSync, rmSync } from "node:fs";
import { join } from "node:path";
import { DatabaseSync } from "node:sqlite";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { attuneIn, isAlive, readable, until } from "../support/attune.ts";
import { nightOf } from "../support/nights.ts";

/**
 * The embedded stack for real, small: server, model, training, serving. One run is also the crash run: every worker is killed while calls are in
 * flight, and again while a trainer is past its first step, and the tests below read what that run left.
 */
const config = "configs/experiments/smoke.yaml";
/** A teacher this slow has calls in flight whenever one looks. */
const stack = attuneIn("smoke", { ATTUNE_REHEARSAL_ARGS: "--latency-ms 400" });
const callsInFlight = 8;
let endDev: () => Promise<void>;
let killed: { workers: number[]; inFlight: number; trainerSurvived: boolean };

const records = <T>(prefix: string): { key: string; value: T }[] => {
  const db = new DatabaseSync(join(stack.home, "records.db"), { readOnly: true });
  const rows = db.prepare("SELECT key, value FROM records WHERE key >= ? AND key < ?").all(prefix, `${prefix}\u{10ffff}`);
  db.close();
  return rows.map((row) => ({ key: String(row["key"]), value: JSON.parse(String(row["value"])) as T }));
};

const alignJobs = () =>
  records<{ starts: Record<string, number>; adoptions: number }>("job/").filter(({ key }) => key.includes(".align."));
const startsOf = () =>
  Object.fromEntries(alignJobs().map(({ key, value }) => [key, Object.values(value.starts).reduce((sum, n) => sum + n, 0)]));

/** The pid of a trainer that is past step 0 and not done. */
function trainerAtWork(): number | undefined {
  const jobs = join(stack.home, "jobs");
  for (const job of readable(() => readdirSync(jobs)) ?? []) {
    if (!job.includes(".align.")) continue;
    for (const fence of readdirSync(join(jobs, job)).filter((name) => name.startsWith("fence-"))) {
      const folder = join(jobs, job, fence);
      const steps = (readable(() => readFileSync(join(folder, "progress.jsonl"), "utf8")) ?? "")
        .split("\n")
        .flatMap((line) => readable(() => (JSON.parse(line) as { step: number }).step) ?? []);
      if (Math.max(0, ...steps) < 1 || existsSync(join(folder, "result.json"))) continue;
      return readable(() => (JSON.parse(readFileSync(join(folder, "run.json"), "utf8")) as { pid: number }).pid);
    }
  }
  return undefined;
}

const teacherLog = () =>
  readFileSync(join(stack.home, "rehearsal.jsonl"), "utf8")
    .trim()
    .split("\n")
    .map((line) => JSON.parse(line) as { key: string | null; status: number });

/** Requests that the teacher has not answered yet. */
async function callsNow(): Promise<number> {
  const answer = await fetch(new URL("/health", stack.devFile().rehearsalUrl));
  return ((await answer.json()) as { inFlight: number }).inFlight;
}

const workersNow = () => ["control", "llm", "gpu"].flatMap((role) => stack.devFile().children[role]?.pid ?? []);

async function killWorkers(): Promise<{ pids: number[]; inFlight: number }> {
  const pids = workersNow();
  const before = await callsNow();
  for (const pid of pids) process.kill(pid, "SIGKILL");
  const inFlight = Math.max(before, await callsNow());
  await new Promise((resolve) => setTimeout(resolve, 500));
  return { pids, inFlight };
}

/** Answers of the teacher that stand in the call store. */
function recordedCalls(): number {
  const db = new DatabaseSync(join(stack.home, "calls.db"), { readOnly: true });
  const { calls } = db.prepare("SELECT COUNT(*) AS calls FROM calls WHERE provider = 'rehearsal'").get() as { calls: number };
  db.close();
  return calls;
}

beforeAll(async () => {
  endDev = await stack.startDev();
  const run = stack.attune("run", config, "--json");
  let inFlight = 0;
  for (const end = Date.now() + 120_000; inFlight < callsInFlight && Date.now() < end;) inFlight = await callsNow();
  expect(inFlight, "calls in flight at the first kill").toBeGreaterThanOrEqual(callsInFlight);
  const first = await killWorkers();
  // The teacher goes on counting what it was asked by the dead.
  inFlight = Math.max(inFlight, first.inFlight);
  await until(() => workersNow().every((pid) => !first.pids.includes(pid)), 60_000, "new workers");
  await until(() => trainerAtWork() !== undefined, 300_000, "a trainer past its first step");
  const trainer = trainerAtWork() ?? 0;
  const second = await killWorkers();
  inFlight += second.inFlight;
  const workers = [...first.pids, ...second.pids];
  killed = { workers, inFlight, trainerSurvived: isAlive(trainer) };
  // Four steps are over before a lost worker is noticed; held still, the trainer stands for one that takes hours.
  process.kill(trainer, "SIGSTOP");
  await until(() => alignJobs().some(({ value }) => value.adoptions > 0), 120_000, "the adoption of the running trainer").finally(
    () => process.kill(trainer, "SIGCONT"),
  );
  const result = await run;
  expect(result.stderr, result.stderr).not.toMatch(/attune: /);
  expect(result.exitCode, `${result.stdout}\n${result.stderr}`).toBe(0);
});

afterAll(async () => {
  const pids = Object.values(readable(() => stack.devFile().children) ?? {}).map(({ pid }) => pid);
  await endDev();
  await until(() => pids.every((pid) => !isAlive(pid)), 60_000, "the end of the dev stack's processes");
  stack.remove();
});

describe("a run whose workers were all killed", () => {
  test("three workers were killed twice, and the trainer outlived them", () => {
    expect(new Set(killed.workers).size).toBe(6);
    expect(killed.trainerSurvived).toBe(true);
  });

  test("leaves results that say what they are", () => {
    const [folder] = readdirSync(join(stack.home, "artifacts", "runs", "smoke"));
    const results = JSON.parse(
      readFileSync(join(stack.home, "artifacts", "runs", "smoke", folder!, "results.json"), "utf8"),
    ) as Record<string, unknown> & {
      headline: { evidence: string; gapReduction: Record<string, { value: number | null; ci95: unknown }> };
      backbones: {
        contexts: {
          context: string;
          desired: unknown;
          arms: Record<string, { n: number; perTurn: unknown[] }>;
          gap: Record<string, unknown>;
        }[];
      }[];
    };
    expect(results["rehearsal"]).toBe(true);
    expect(results.headline.evidence).toBe("none");
    expect(Object.keys(results.headline.gapReduction)).toEqual(expect.arrayContaining(["pooled", "macro"]));
    const contexts = results.backbones.flatMap((backbone) => backbone.contexts);
    expect(contexts.map(({ context }) => context).toSorted()).toEqual(["distress", "writing"]);
    for (const { arms } of contexts) {
      expect(Object.keys(arms)).toEqual(expect.arrayContaining(["baseline", "system_prompt", "adapter", "wrong_adapter"]));
      for (const arm of Object.values(arms)) expect(arm.perTurn).toHaveLength(2);
    }
    expect(existsSync(join(stack.home, "artifacts", "runs", "smoke", folder!, "report.html"))).toBe(true);
  });

  test("started one trainer an adapter, and adopted the one that ran", () => {
    expect(Object.values(startsOf())).toEqual([1, 1]);
    expect(alignJobs().reduce((sum, { value }) => sum + value.adoptions, 0)).toBeGreaterThanOrEqual(1);
  });

  test("asked the teacher at most what was in flight at the kills beyond what is recorded", () => {
    const asked = teacherLog().filter(({ key, status }) => key !== null && status === 200);
    expect(recordedCalls()).toBe(new Set(asked.map(({ key }) => key)).size);
    expect(asked.length - recordedCalls()).toBeLessThanOrEqual(killed.inFlight);
  });

  test("the same run again returns at once and asks nothing", async () => {
    const before = teacherLog().length;
    const again = await stack.attune("run", config, "--json");
    expect(again.exitCode).toBe(0);
    expect(teacherLog()).toHaveLength(before);
  });

  test("without two adapters' folders, the same run trains the one only whose job left nothing either", async () => {
    const before = startsOf();
    const adapters = join(stack.home, "artifacts", "adapters", "smollm2-135m");
    for (const context of ["writing", "distress"]) rmSync(join(adapters, context), { recursive: true });
    const [folder] = readdirSync(join(stack.home, "artifacts", "runs", "smoke"));
    const jobs = join(stack.home, "artifacts", "runs", "smoke", folder!, "jobs");
    const [trainedIt] = readdirSync(jobs).filter((job) => job.endsWith("align.smollm2-135m.writing"));
    rmSync(join(jobs, trainedIt!), { recursive: true });
    const again = await stack.attune("run", config, "--json");
    expect(again.exitCode, again.stderr).toBe(0);
    const after = startsOf();
    const trained = Object.keys(after).filter((job) => after[job] !== before[job]);
    expect(trained).toHaveLength(1);
    expect(trained[0]).toContain("writing");
    for (const context of ["writing", "distress"]) expect(existsSync(join(adapters, context))).toBe(true);
  });

  test("a night of its published experts, started by a schedule, passes", async () => {
    expect(await nightOf(stack, "smoke")).toMatchObject({ verdict: "passed", regressed: [] });
  });
});
