import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { execa } from "execa";
import { expect, test } from "vitest";
import { projectRoot } from "../../support/attune.ts";
import { conversation, datasetRun } from "../../support/dataset-run.ts";
import { s3ServerOfFile } from "../../support/s3.ts";
import { openCalls } from "../../support/stores.ts";
import { storedCall } from "../../support/stored-call.ts";
import { tempFolder } from "../../support/temp-folder.ts";

const server = s3ServerOfFile();

/** The real command on an S3 store; no Temporal server answers. */
const commandIn =
  (env: Readonly<Record<string, string>>) =>
  (...args: readonly string[]) =>
    execa("node", [join(projectRoot, "bin", "attune.mjs"), ...args], {
      env: { ATTUNE_HOME: tempFolder(), TEMPORAL_ADDRESS: "127.0.0.1:1", ...env },
      reject: false,
      stdin: "ignore",
    });

test("data of a run on S3 is listed by its s3:// uri, shown and exported on a host that has none of it", async () => {
  const { env, name } = await server.bucket();
  const rows = [conversation("distress-00000"), conversation("distress-00001")];
  await datasetRun(tempFolder(), { name: "one", digest: "11", conversations: rows }, env);
  const attune = commandIn(env);

  const listed = await attune("data", "ls", "one", "--json");
  const [first] = JSON.parse(listed.stdout) as { path: string; there: boolean }[];
  expect(first).toMatchObject({
    path: `s3://${name}/some/prefix/artifacts/runs/one/${"11".repeat(32)}/data/converse-distress.jsonl`,
    there: true,
  });
  expect((await attune("data", "ls", "one")).stdout).toContain(`Files are in s3://${name}/some/prefix/artifacts/runs/one/`);
  expect((await attune("data", "show", "one", "conversations-distress")).stdout).toContain("The storm took the roof.");
  expect((await attune("show", "one")).stdout).toContain(`files   s3://${name}/`);
  expect((await attune("ls")).stdout).toContain("exp/one/111111111111");

  const to = join(tempFolder(), "exported");
  const exported = await attune("data", "export", "one", "conversations-distress", "--to", to, "--format", "jsonl");
  expect(exported).toMatchObject({ exitCode: 0, stderr: "" });
  expect(readFileSync(join(to, "conversations-distress.jsonl"), "utf8").trim().split("\n").length).toBe(2);
  expect(readFileSync(join(to, "README.md"), "utf8")).toBe("# converse/distress\n");
});

test("a store that can't be used is one error before anything is started", async () => {
  const { env } = await server.bucket();
  const home = tempFolder();
  const wrong = commandIn({ ...env, ATTUNE_HOME: home, ATTUNE_STORE: "bucket" });
  const absent = commandIn({ ...env, ATTUNE_HOME: home, ATTUNE_STORE: "s3://no-such-bucket" });
  for (const args of [["dev"], ["show", "one"], ["worker", "llm"]]) {
    expect(await wrong(...args)).toMatchObject({
      exitCode: 2,
      stdout: "",
      stderr: expect.stringMatching(/: ATTUNE_STORE is "bucket"; write/),
    });
    const { exitCode, stderr } = await absent(...args);
    expect(exitCode).toBe(3);
    expect(stderr).toMatch(/Bucket no-such-bucket, which ATTUNE_STORE names, is not there/);
    expect(stderr.trim().split("\n").length).toBe(1);
  }
  expect(existsSync(join(home, "dev.json"))).toBe(false);
});

test("recorded calls on S3 are listed by run and removed with --yes", async () => {
  const { env, name } = await server.bucket();
  const store = await openCalls({ ATTUNE_HOME: tempFolder(), ...env });
  const labels = { run: "ee".repeat(32), stage: "converse", context: "distress", arm: "" };
  await Promise.all(["a", "b"].map((call) => store.put(storedCall(call, { labels }))));
  const attune = commandIn(env);
  expect((await attune("cache")).stdout).toMatch(new RegExp(`eeeeeeeeeeee +2 .*s3://${name}/some/prefix/calls: `, "s"));
  expect(await attune("cache", "prune", "--unknown", "--yes")).toMatchObject({
    exitCode: 0,
    stdout: expect.stringMatching(/Calls that go: 2, worth \$1\.00[^]*Removed\./),
  });
  expect((await attune("cache")).stdout).toMatch(/No calls are recorded: there is no s3:/);
  expect(await store.get(storedCall("a").key)).toBeNull();
});

test("a worker opens its stores on S3", async () => {
  const { env } = await server.bucket();
  expect(await commandIn(env)("worker", "llm")).toMatchObject({
    exitCode: 3,
    stderr: expect.stringMatching(/No Temporal server answers/),
  });
});

test("doctor looks at the store, and at where models are served for other machines", async () => {
  const { env } = await server.bucket();
  const checksOf = async (more: Readonly<Record<string, string>>) => {
    const { stdout } = await commandIn({ ...more, ATTUNE_PYTHON: "/bin/false" })("doctor", "--json");
    const { checks } = JSON.parse(stdout) as { checks: { name: string; state: string; detail: string }[] };
    const found = (name: string) => checks.find((check) => check.name === name);
    return { store: found("store"), serving: found("serving address") };
  };
  const matching = (text: RegExp) => expect.stringMatching(text) as unknown;
  expect(await checksOf(env)).toMatchObject({
    store: { state: "ok", detail: matching(/^s3:.*honours conditional puts$/) },
    serving: { state: "warning", detail: matching(/127\.0\.0\.1, for this machine alone/) },
  });
  expect(await checksOf({})).toMatchObject({ store: { state: "ok", detail: matching(/^files in \//) }, serving: undefined });
  expect(await checksOf({ ...env, AWS_ENDPOINT_URL_S3: "http://127.0.0.1:9", ATTUNE_NODE_ADDRESS: "192.0.2.1" })).toMatchObject({
    store: { state: "failed" },
    serving: { state: "failed", detail: matching(/Nothing can listen at .* 192\.0\.2\.1/) },
  });
});
