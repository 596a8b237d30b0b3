import { join } from "node:path";
import { afterAll, beforeAll, expect, test } from "vitest";
import { type Launch, unitRowsPrefix } from "../../../contract/places.ts";
import { sqliteRecords } from "../../../platform/records/sqlite.ts";
import { bench, lines, setUp, tearDown } from "./bench.ts";

beforeAll(setUp);
afterAll(tearDown);

const file = "test/fixtures/cli/experiment.yaml";
interface Planned {
  readonly workflowId: string;
  readonly digest: string;
  readonly stages: readonly { stage: string; units: number; done: number; reread: number; calls: number; callsLeft: number }[];
  readonly made: readonly string[];
}

test("a plan counts what a run would ask, reuses what one has finished, and starts nothing", async () => {
  const { attune, home } = await bench({ worker: false });
  const planned = async () => lines((await attune("plan", file, "--json")).stdout)[0] as unknown as Planned;
  const first = await planned();
  const converse = first.stages.find(({ stage }) => stage === "converse")!;
  expect(converse.done).toBe(0);
  expect(converse.callsLeft).toBe(converse.calls);
  expect(first.made).toContain("report");

  const config = { uri: "", sha256: "", bytes: 0, rows: null };
  const run = { name: first.workflowId.split("/")[1] ?? "", digest: first.digest, epoch: "", config };
  const records = sqliteRecords(join(home, "records.db"));
  const row = { outcome: { status: "done" } };
  await records.put(`${unitRowsPrefix(run, "converse")}distress/00000`, row, null);
  records.close();
  const then = (await planned()).stages.find(({ stage }) => stage === "converse")!;
  expect(then.done).toBe(1);
  expect(then.callsLeft).toBe(Math.round((converse.calls * (converse.units - 1)) / converse.units));
  expect((await attune("ls")).stdout).not.toMatch(/exp\//);
});

const grows = (...sets: string[]) => [file, ...["name=grows", ...sets].flatMap((set) => ["--set", set])];

test("a plan that only adds to an earlier run reads again what that one finished; --extend refuses anything else", async () => {
  const { attune, home } = await bench();
  expect((await attune("run", ...grows(), "--extend")).stderr).toMatch(/Nothing of this name was run here/);
  expect(await attune("run", ...grows())).toMatchObject({ exitCode: 0 });
  const records = sqliteRecords(join(home, "records.db"));
  const [launch] = await records.list("launch/grows/");
  const prefix = unitRowsPrefix((launch!.value as Launch).run, "converse");
  for (let unit = 0; unit < 12; unit += 1) await records.put(`${prefix}distress/${unit}`, { outcome: { status: "done" } }, null);
  records.close();

  const planned = await attune("plan", ...grows("converse.conversations=12"), "--json");
  const [larger] = lines(planned.stdout) as unknown as (Planned & { extends: string | null })[];
  expect(larger!.extends).toMatch(/^exp\/grows\//);
  const converse = larger!.stages.find(({ stage }) => stage === "converse")!;
  expect(converse).toMatchObject({ units: 24, done: 0, reread: 12, callsLeft: converse.calls / 2 });

  const extended = await attune("run", ...grows("converse.conversations=12"), "--extend");
  expect(extended.stdout).toMatch(/Extends exp\/grows\/\w+:\n {2}converse\.conversations: 6 → 12\n.*read again.*converse 12/);
  expect(extended.exitCode).toBe(0);
  const other = await attune("run", ...grows("converse.turns=2"), "--extend");
  expect(other.stderr).toMatch(/does more than add .* to exp\/grows\/\w+, .*:\n {2}converse\.turns: 3 → 2\n/);
  expect(other.exitCode).toBe(2);
});

test("a budget that will not do is said beforehand", async () => {
  const { attune } = await bench({ worker: false });
  const { stdout, exitCode } = await attune("plan", file, "--set", "budget.maxCalls=1");
  expect(stdout).toMatch(/budget\.maxCalls 1 .* the run will hold/);
  expect(exitCode).toBe(0);
});
