import { join } from "node:path";
import { afterAll, beforeAll, expect, test } from "vitest";
import { unitRowsPrefix } from "../../../contract/places.ts";
import { sqliteRecords } from "../../../platform/records/sqlite.ts";
import { bench, lines, setUp, tearDown } from "./bench.ts";

beforeAll(setUp);
afterAll(tearDown);

const file = "test/fixtures/cli/experiment.yaml";
interface Planned {
  readonly workflowId: string;
  readonly digest: string;
  readonly stages: readonly { stage: string; units: number; done: number; calls: number; callsLeft: number }[];
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

test("a budget that will not do is said beforehand", async () => {
  const { attune } = await bench({ worker: false });
  const { stdout, exitCode } = await attune("plan", file, "--set", "budget.maxCalls=1");
  expect(stdout).toMatch(/budget\.maxCalls 1 .* the run will hold/);
  expect(exitCode).toBe(0);
});
