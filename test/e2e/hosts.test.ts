import { execFileSync } from "node:child_process";
import { existsSync, readFileSync, readlinkSync, rmSync } from "node:fs";
import { join } from "node:path";
import type { TestWorkflowEnvironment } from "@temporalio/testing";
import { execa } from "execa";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import type { Claim } from "../../contract/jobs.ts";
import { stageRecordKey } from "../../contract/places.ts";
import type { StageRecord } from "../../contract/stages.ts";
import { processLauncher } from "../../platform/jobs/process.ts";
import { openStores, type OpenStores } from "../../platform/stores.ts";
import { type Child, superviseChild } from "../../workers/dev/child.ts";
import { projectRoot } from "../support/attune.ts";
import { completedBy, pendingOn } from "../support/identities.ts";
import { twoHosts, type TestHost } from "../support/hosts.ts";
import { until } from "../support/jobs.ts";
import { s3ServerOfFile } from "../support/s3.ts";
import { tcpRelay } from "../support/tcp-relay.ts";
import { localServer } from "../support/temporal.ts";

/**
 * One run over two hosts that share a Temporal server, a provider and a bucket, and nothing else. Both train; then the host that trained the
 * first adapter stops its GPU worker, so that the other one serves it, to the llm workers of both.
 */
const { a, b, hub, notApart, close } = await twoHosts();
const s3 = s3ServerOfFile(hub);

const smallest = {
  name: "hosts",
  "align.max_steps": 2,
  "evaluate.conversations": 2,
  "evaluate.turns": 1,
};
const runArgs = [
  "run",
  "configs/experiments/smoke.yaml",
  ...Object.entries(smallest).flatMap(([key, value]) => ["--set", `${key}=${value}`]),
];

const python = join(process.env["ATTUNE_HOME"] ?? join(projectRoot, ".attune"), "venv", "bin", "python");
const teacherLogFile = join(a.home, "..", `attune-teacher-${process.pid}.jsonl`);
const children: Child[] = [];
const printed: string[] = [];
/** What ends the servers that were started, oldest first. */
const ends: (() => unknown)[] = [];
let server: TestWorkflowEnvironment;
let shared: Readonly<Record<string, string>>;
let stores: OpenStores;
let teacher: string;
let digest: string;
/** Conversations that the killed worker had open. */
let openAtKill: number;
let llm: Readonly<Record<"killed" | "survivor" | "second", string>>;
let trainedOn: string;

function start(name: string, command: [string, ...string[]], env: Readonly<Record<string, string | undefined>>): Child {
  const onLine = (_: string, line: string) => void printed.push(`${name}: ${line}`);
  const child = superviseChild({ name, command, cwd: projectRoot, env, restart: false, onLine });
  children.push(child);
  return child;
}

const envOf = (host: TestHost) => ({
  ...process.env,
  ...shared,
  ...host.env,
  ATTUNE_HOME: host.home,
  ATTUNE_NODE_ADDRESS: host.address,
});
const worker = (host: TestHost, role: string) =>
  start(`${role} of ${host.name}`, host.command(process.execPath, join(projectRoot, "workers", "main.ts"), role), envOf(host));

async function attune(host: TestHost, ...args: readonly string[]) {
  const [program, ...line] = host.command(process.execPath, join(projectRoot, "cli", "main.ts"), ...args);
  const ended = await execa(program, line, { cwd: projectRoot, env: envOf(host), reject: false, stdin: "ignore" });
  expect(ended.exitCode, [ended.stderr, ended.stdout, ...printed.slice(-40)].join("\n")).toBe(0);
  return ended.stdout.split("\n").map((line) => JSON.parse(line) as Readonly<Record<string, unknown>>);
}

const callsNow = async () => ((await (await fetch(new URL("/health", teacher))).json()) as { inFlight: number }).inFlight;
/** How the server names a worker; pids are the same in all namespaces. */
const identityOf = (role: string, { pid }: Child) => `${role} ${pid}@`;
const claims = async () =>
  (await stores.records.list("claim/")).map(({ key, value }) => ({ job: key, node: (value as { claim: Claim }).claim.node }));
const answered = () =>
  readFileSync(teacherLogFile, "utf8")
    .trim()
    .split("\n")
    .map((line) => JSON.parse(line) as { key: string | null; status: number })
    .filter(({ key, status }) => key !== null && status === 200)
    .map(({ key }) => key!);

beforeAll(async () => {
  server = await localServer();
  ends.push(() => server.teardown());
  const relay = await tcpRelay(hub, server.address);
  ends.push(relay.close);
  const bucket = await s3.bucket();
  const said = "teacher: {";
  const flags = ["--host", hub, "--log", teacherLogFile, "--latency-ms", "400"];
  start("teacher", [process.execPath, join(projectRoot, "rehearsal", "main.ts"), ...flags], process.env);
  await until("the teacher says where it is", () => printed.some((line) => line.startsWith(said)));
  teacher = (JSON.parse(printed.find((line) => line.startsWith(said))!.slice(said.length - 1)) as { url: string }).url;
  shared = { ...bucket.env, TEMPORAL_ADDRESS: relay.address, ATTUNE_REHEARSAL_URL: teacher, ATTUNE_PYTHON: python };
  stores = await openStores({ env: shared, home: join(a.home, "test") });
  ends.push(stores.close);

  worker(a, "control");
  const gpu = { [a.name]: worker(a, "gpu"), [b.name]: worker(b, "gpu") };
  const [first, survivor] = [worker(a, "llm"), worker(b, "llm")];
  const killed = identityOf("llm", first);
  const trained = attune(a, ...runArgs, "--until", "align", "--json");
  const underWay = until(
    "conversations are under way on both hosts",
    async () => {
      const pending = await pendingOn(server.client);
      return pending(killed) >= 2 && pending(identityOf("llm", survivor)) >= 2 && (await callsNow()) >= 4;
    },
    120_000,
  );
  // A run that failed says why at once.
  await Promise.race([underWay, trained]);
  openAtKill = (await pendingOn(server.client))(killed);
  process.kill(first.pid!, "SIGKILL");
  expect(await callsNow(), "calls in flight at the kill").toBeGreaterThan(0);
  openAtKill = Math.max(openAtKill, (await pendingOn(server.client))(killed));
  const [launch] = await trained;
  digest = String(launch?.["digest"]);

  trainedOn = (await claims()).find(({ job }) => job.endsWith(".align.smollm2-135m.distress"))!.node;
  await gpu[trainedOn]?.stop(15_000);
  llm = { killed, survivor: identityOf("llm", survivor), second: identityOf("llm", worker(a, "llm")) };
  await attune(b, ...runArgs, "--json");
});

afterAll(async () => {
  try {
    await Promise.all(children.filter(({ name }) => name !== "teacher").map((child) => child.stop(15_000)));
    for (const { home } of [a, b]) {
      const launcher = processLauncher({ home, command: [], directory: projectRoot, env: process.env, now: () => new Date() });
      for (const job of await launcher.live()) await launcher.stop(job, 1000);
    }
    await Promise.all(children.map((child) => child.stop(1000)));
    for (const end of ends.toReversed()) await end();
  } finally {
    rmSync(teacherLogFile, { force: true });
    close();
  }
});

/** What must come of the run. */
function shows(): void {
  test("is finished, and its report lies in the bucket", async () => {
    const run = { name: "hosts", digest, config: { uri: "", sha256: "", bytes: 0, rows: null }, epoch: "" };
    const { outputs } = (await stores.records.get(stageRecordKey(run, "report")))!.value as StageRecord;
    for (const ref of Object.values(outputs)) expect(await stores.artifacts.verify(ref)).toBe(true);
    const { backbones } = JSON.parse((await stores.artifacts.read(outputs["results"]!)).toString()) as {
      backbones: { contexts: { context: string; arms: Record<string, { n: number }> }[] }[];
    };
    const contexts = backbones.flatMap((backbone) => backbone.contexts);
    expect(contexts.map(({ arms }) => arms["adapter"]?.n)).toEqual([2, 2]);
  });

  test("had its conversations on both hosts, and the other one's after one was killed", async () => {
    const done = await completedBy(server.client);
    expect(done("converse", llm.survivor)).toBeGreaterThan(0);
    expect(done("converse", llm.survivor) + done("converse", llm.killed)).toBe(12);
    expect(done("evaluate", llm.survivor)).toBeGreaterThan(0);
    expect(done("evaluate", llm.second)).toBeGreaterThan(0);
  });

  test("served an adapter on the host that had not trained it", async () => {
    const serving = (await claims()).filter(({ job }) => job.endsWith(".serve"));
    expect([a.name, b.name]).toContain(trainedOn);
    expect(serving.map(({ node }) => node)).toEqual([trainedOn === a.name ? b.name : a.name]);
  });

  test("asked the teacher for at most one call of each conversation twice that the killed worker had open, and recorded every answer", async () => {
    const keys = new Set(answered());
    // An answer may have come and not been recorded yet.
    expect(answered().length - keys.size).toBeLessThanOrEqual(openAtKill);
    const calls = stores.openCalls();
    for (const key of keys) expect(await calls.get(key), key).not.toBeNull();
    await calls.close();
  });

  test("left no store in either host's data directory", () => {
    for (const { home } of [a, b]) {
      expect(existsSync(join(home, "jobs"))).toBe(true);
      for (const own of ["records.db", "calls.db", "artifacts"]) expect(existsSync(join(home, own)), own).toBe(false);
    }
  });
}

const missing = notApart === null ? "" : ` (not shown here, where there are no network namespaces: ${notApart})`;

describe.skipIf(notApart !== null)(`a run whose workers are on two hosts${missing}`, () => {
  test("has hosts that are apart from each other and from this one in name and network", () => {
    const ask = ({ command }: TestHost, ...question: readonly [string, ...string[]]) => {
      const [program, ...line] = command(...question);
      return execFileSync(program, line, { encoding: "utf8" }).trim();
    };
    expect([a, b].map((host) => ask(host, "hostname"))).toEqual([a.name, b.name]);
    const networks = [a, b].map((host) => ask(host, "readlink", "/proc/self/ns/net"));
    expect(new Set([...networks, readlinkSync("/proc/self/ns/net")]).size).toBe(3);
  });

  shows();
});

if (notApart !== null) describe("a run whose workers are on one host under two addresses, with a data directory each", shows);
