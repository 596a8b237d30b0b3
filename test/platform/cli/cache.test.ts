import { readFileSync } from "node:fs";
import { join } from "node:path";
import { execa } from "execa";
import { afterAll, beforeAll, expect, test } from "vitest";
import { sqliteCalls } from "../../../platform/calls/sqlite.ts";
import { storedCall } from "../../support/stored-call.ts";
import { bench, lines, setUp, tearDown } from "./bench.ts";

beforeAll(setUp);
afterAll(tearDown);

const stray = "ee".repeat(32);

/** Records as many calls of a run as are named. */
async function record(home: string, run: string, names: readonly string[], usd: number | null = 0.5): Promise<void> {
  const store = sqliteCalls(join(home, "calls.db"));
  const labels = { run, stage: "converse", context: "distress", arm: "" };
  await Promise.all(names.map((name) => store.put(storedCall(name, { labels, usd, raw: "x".repeat(4000) }))));
  await store.close();
}

interface Pruned {
  readonly runs: readonly string[];
  readonly open: readonly string[];
  readonly calls: number;
  readonly removed: boolean;
  readonly freedBytes?: number;
}
const pruned = (stdout: string) => lines(stdout)[0] as unknown as Pruned;

test("an open run's calls are not touched, whichever option names it; others go once --yes is given", async () => {
  const { run, attune, home } = await bench();
  const [launched] = lines((await run("waits", "--detach", "--json")).stdout);
  const workflowId = String(launched?.["workflowId"]);
  const digest = String(launched?.["digest"]);
  await record(home, digest, ["w1", "w2"]);
  await record(
    home,
    stray,
    Array.from({ length: 200 }, (_, i) => `s${i}`),
    null,
  );

  const named = await attune("cache", "prune", "--run", "waits", "--yes", "--json");
  expect(named).toMatchObject({ exitCode: 3, stdout: "", stderr: expect.stringMatching(/is open on the server/) });

  const asked = await attune("cache", "prune", "--older-than", "1h");
  expect(asked).toMatchObject({ exitCode: 2, stderr: expect.stringMatching(/Nothing was removed.*--yes/) });
  expect(asked.stdout).toMatch(/Calls that go: 200, worth \$0\.0000 \+ 200 of unknown price/);
  expect(asked.stdout).toMatch(`Left alone, since they are open on the server: ${workflowId.replace("exp/", "")}.`);

  const dry = await attune("cache", "prune", "--unknown", "--dry-run", "--json");
  expect(dry.exitCode).toBe(0);
  expect(pruned(dry.stdout)).toMatchObject({ runs: ["eeeeeeeeeeee"], calls: 200, removed: false });

  const done = await attune("cache", "prune", "--older-than", "1h", "--yes", "--json");
  expect(done.exitCode).toBe(0);
  expect(pruned(done.stdout)).toMatchObject({ runs: ["eeeeeeeeeeee"], calls: 200, removed: true });
  expect(pruned(done.stdout).freedBytes).toBeGreaterThan(500_000);
  const [listed] = lines((await attune("cache", "--json")).stdout) as unknown as {
    name: string;
    calls: number;
    known: boolean;
  }[][];
  expect(listed).toMatchObject([{ name: workflowId.replace("exp/", ""), calls: 2, known: true, knownUsd: 1 }]);

  expect((await attune("cancel", "waits")).exitCode).toBeLessThan(6);
  const after = await attune("cache", "prune", "--run", "waits", "--yes");
  expect(after).toMatchObject({ exitCode: 0, stdout: expect.stringMatching(/Calls that go: 2, worth \$1\.00\.[^]*Removed\./) });
});

test("without a server nothing is taken for open, which is said; without calls there is nothing to do", async () => {
  const { attune, home } = await bench({ worker: false });
  expect((await attune("cache", "ls")).stdout).toMatch(/No calls are recorded: there is no .*calls\.db/);
  expect(await attune("cache", "prune")).toMatchObject({
    exitCode: 2,
    stderr: expect.stringMatching(/--run RUN, --older-than 30d, --unknown/),
  });
  expect(await attune("cache", "prune", "--unknown", "--yes", "--json")).toMatchObject({ exitCode: 0 });
  await record(home, stray, ["s"]);
  const before = readFileSync(join(home, "calls.db"));
  const alone = (...args: string[]) =>
    execa("node", ["bin/attune.mjs", "cache", ...args], {
      env: { ATTUNE_HOME: home, TEMPORAL_ADDRESS: "127.0.0.1:1" },
      reject: false,
    });
  const dry = await alone("prune", "--run", "eeeeee", "--dry-run");
  expect(dry).toMatchObject({
    exitCode: 0,
    stderr: expect.stringMatching(/No Temporal server answers.* So no run is taken for open/),
  });
  expect(readFileSync(join(home, "calls.db"))).toEqual(before);
  expect(await alone("prune", "--run", "eeeeee", "--yes")).toMatchObject({
    exitCode: 0,
    stdout: expect.stringMatching(/Calls that go: 1,/),
  });
  expect(await alone("foo")).toMatchObject({ exitCode: 2, stderr: expect.stringMatching(/unknown command 'cache foo'/) });
});
