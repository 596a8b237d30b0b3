import { readFileSync } from "node:fs";
import { mkdtemp, readFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { MockActivityEnvironment } from "@temporalio/testing";
import { DefaultLogger } from "@temporalio/worker";
import type { Info } from "@temporalio/activity";
import { processLauncher } from "../../platform/jobs/process.ts";
import type { Launcher } from "../../platform/jobs/launcher.ts";
import { claimNode } from "../../activities/jobs/claim.ts";
import type { JobDeps, JobsNode } from "../../activities/jobs/node.ts";
import { localArtifacts } from "../../platform/artifacts/local.ts";
import { sqliteRecords } from "../../platform/records/sqlite.ts";
import { runJob } from "../../activities/jobs/run.ts";
import type { JobDraft, JobHeartbeat, JobOutcome, JobRequest } from "../../contract/jobs.ts";
import type { RunRef } from "../../contract/units.ts";
import { resolvedStub } from "./resolved.ts";

const trainers = fileURLToPath(new URL("../fixtures/trainers", import.meta.url));

export const run: RunRef = {
  name: "quick",
  digest: "ab".repeat(32),
  config: { uri: "runs/quick/config.json", sha256: "0".repeat(64), bytes: 1, rows: null },
  epoch: "",
};

/** One machine's data directory with real stores, and a launcher whose trainer is a program of test/fixtures/trainers. */
export interface Bench {
  readonly home: string;
  readonly deps: JobDeps;
  readonly node: JobsNode;
  readonly launcher: Launcher;
  /** Lines of the trainers' own log. */
  readonly trainersLog: () => Promise<readonly TrainerLine[]>;
  readonly request: (over?: Partial<JobRequest>) => Promise<JobRequest>;
  readonly close: () => Promise<void>;
}

interface TrainerLine {
  readonly event: "start" | "end" | "grandchild";
  readonly pid: number;
  readonly folder: string;
  readonly device: string;
}

export async function bench(
  trainer: string,
  {
    home,
    devices = ["cpu0"],
    graceMs = 1500,
    warnings = [],
  }: { home?: string; devices?: readonly string[]; graceMs?: number; warnings?: string[] } = {},
): Promise<Bench> {
  const directory = home ?? (await mkdtemp(join(tmpdir(), "attune-jobs-")));
  const records = sqliteRecords(join(directory, "records.db"));
  const config = resolvedStub({ devices });
  const log = { info: () => undefined, warn: (message: string) => void warnings.push(message), error: () => undefined };
  const env = { home: directory, projectRoot: trainers, python: "python3", codeVersion: "test", now: () => new Date() };
  const deps: JobDeps = {
    artifacts: localArtifacts(join(directory, "artifacts")),
    records,
    config: async () => config,
    env,
    log,
  };
  const launcher = processLauncher({
    home: directory,
    command: ["python3", join(trainers, `${trainer}.py`)],
    directory: trainers,
    env: process.env,
    now: env.now,
  });
  const identity = { name: "here", boot: "boot-1", address: "127.0.0.2" };
  const node: JobsNode = { ...identity, pool: "test-gpu", cluster: "test", launcher, graceMs, pollMs: 50 };
  const request = async (over: Partial<JobRequest> = {}): Promise<JobRequest> => {
    const job = over.job ?? "exp.quick.abababababab.align.tiny.distress";
    const rows = await deps.artifacts.put("runs/quick/train.jsonl", '{"id":1}\n');
    const params: JobRequest["params"] = {
      kind: "reward",
      encoder: { id: "tiny", dir: "tiny", sha256: null },
      freeze_encoder: true,
      validation_share: 0.2,
    };
    const work: JobDraft = { params, files: [{ path: "data/train.jsonl", ref: rows }], seed: 1, ...over };
    const claim = over.claim ?? (await claimNode(deps, node, { job, lostFence: 0, work }));
    return { run, job, claim, deadlineSeconds: 600, ...work, ...over };
  };
  const trainersLog = async () => {
    const text = await readFile(join(directory, "trainers.log"), "utf8").catch(() => "");
    return text
      .split("\n")
      .filter((line) => line !== "")
      .map((line) => JSON.parse(line) as TrainerLine);
  };
  const close = async () => {
    for (const job of await launcher.live()) await launcher.stop(job, 0);
    records.close();
    if (home === undefined) await rm(directory, { recursive: true, force: true });
  };
  return { home: directory, deps, node, launcher, trainersLog, request, close };
}

/** An attempt of an activity, with its heartbeats. */
export function attempt(info: Partial<Info> = {}): { readonly env: MockActivityEnvironment; readonly beats: JobHeartbeat[] } {
  const logger = new DefaultLogger("ERROR", () => undefined);
  const env = new MockActivityEnvironment(
    { workflowExecution: { workflowId: "exp/quick/abababababab", runId: "r" }, ...info },
    { logger },
  );
  const beats: JobHeartbeat[] = [];
  env.on("heartbeat", (beat: JobHeartbeat) => beats.push(beat));
  return { env, beats };
}

/** Waits for a condition; fails by name when it does not come. */
export async function until(what: string, met: () => Promise<boolean> | boolean, ms = 15_000): Promise<void> {
  for (const end = Date.now() + ms; Date.now() < end;) {
    if (await met()) return;
    await new Promise((resolve) => setTimeout(resolve, 25));
  }
  throw new Error(`It did not come about within ${ms} ms: ${what}`);
}

/** A zombie that its new parent has not buried yet is dead. */
export function alive(pid: number): boolean {
  try {
    return !/\) [ZX] /.test(readFileSync(`/proc/${pid}/stat`, "utf8"));
  } catch {
    return false;
  }
}

/** One attempt of runJob. */
export function attemptJob(here: Bench, request: JobRequest, over: { readonly deps?: JobDeps } = {}) {
  const { env, beats } = attempt();
  const outcome: Promise<JobOutcome> = env.run(
    runJob as (...args: unknown[]) => Promise<JobOutcome>,
    over.deps ?? here.deps,
    here.node,
    request,
  );
  return { env, beats, outcome };
}
