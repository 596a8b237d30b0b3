import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { setTimeout as pause } from "node:timers/promises";
import type { Client, ScheduleDescription } from "@temporalio/client";
import { afterAll, beforeAll, expect, test } from "vitest";
import { freePort } from "../../../workers/dev/ports.ts";
import { tempFolder } from "../../support/temp-folder.ts";
import { localServer } from "../../support/temporal.ts";
import { bench, client, controlWorker, lines, setUp, tearDown } from "./bench.ts";

beforeAll(setUp);
afterAll(tearDown);

/** The shortest that the server keeps to. */
const catchUpMs = 10_000;

type Bench = Awaited<ReturnType<typeof bench>>;

/** Makes the schedule of a file, as a person does, and then lets its nights come every few seconds, which no file can say. */
async function often({ attune, publish }: Bench, server: Client, experiment: string, every: `${number}s`): Promise<string> {
  await publish(experiment);
  const id = `often-${experiment}`;
  const file = join(tempFolder(), "nights.yaml");
  writeFileSync(
    file,
    `id: ${id}\nexperiment: ${experiment}\ncron: "0 3 1 1 *"\noverlap: skip\ncatchupWindow: ${catchUpMs / 1000}s\n`,
  );
  expect(await attune("schedule", "apply", file)).toMatchObject({ exitCode: 0, stderr: "" });
  await server.schedule.getHandle(id).update((made) => ({ ...made, spec: { intervals: [{ every }] } }));
  return id;
}

async function untilInfo(server: Client, id: string, holds: (now: ScheduleDescription) => boolean): Promise<ScheduleDescription> {
  for (const end = Date.now() + 15_000; ; await pause(200)) {
    const now = await server.schedule.getHandle(id).describe();
    if (holds(now)) return now;
    if (Date.now() > end) throw new Error(`Schedule ${id} stays as it is: ${JSON.stringify(now.info)}`);
  }
}

/** The nights that the server knows of, by when they were meant to start. */
async function nights(server: Client, experiment: string) {
  const found: { readonly id: string; readonly at: number; readonly status: string }[] = [];
  for await (const { workflowId, status } of server.workflow.list({ query: 'WorkflowType = "nightly"' }))
    if (workflowId.startsWith(`night/${experiment}-`))
      found.push({ id: workflowId, at: Date.parse(workflowId.slice(`night/${experiment}-`.length)), status: status.name });
  return found;
}

/** The row of a schedule in `attune schedule`, as a script reads it, and as a person does. */
async function shown({ attune }: Bench, id: string) {
  const [[...all]] = lines((await attune("schedule", "--json")).stdout) as unknown as [Record<string, unknown>[]];
  const text = (await attune("schedule")).stdout.split("\n").find((line) => line.startsWith(id)) ?? "";
  return { row: all.find((row) => row["id"] === id), columns: text.split(/ {2,}/) };
}

test("a night that would begin while the last one goes on is skipped, and counted where a person looks", async () => {
  const stack = await bench();
  const id = await often(stack, client(), "waits", "1s");
  await untilInfo(client(), id, ({ info }) => info.numActionsSkippedOverlap >= 3);
  const { row, columns } = await shown(stack, id);
  expect(row).toMatchObject({ taken: 1, missedCatchupWindow: 0, paused: false });
  expect(row?.["skippedOverlap"]).toBeGreaterThanOrEqual(3);
  expect(Number(columns[3])).toBeGreaterThanOrEqual(Number(row?.["skippedOverlap"]));
  expect(await nights(client(), "waits")).toMatchObject([{ status: "RUNNING" }]);

  // Once it has ended the next one begins; a paused schedule begins and skips none.
  const [night] = await nights(client(), "waits");
  await client().workflow.getHandle(night!.id).cancel();
  await untilInfo(client(), id, ({ info }) => info.numActionsTaken === 2);
  expect(await stack.attune("schedule", "pause", id)).toMatchObject({ exitCode: 0 });
  const { info: before } = await client().schedule.getHandle(id).describe();
  await pause(2500);
  const paused = await shown(stack, id);
  expect(paused.row).toMatchObject({ paused: true, taken: 2, skippedOverlap: before.numActionsSkippedOverlap });
  expect(paused.columns[1]).toBe("paused");
});

test("a night that fails pauses its schedule, which says why", async () => {
  const stack = await bench();
  const id = await often(stack, client(), "fails", "2s");
  await untilInfo(client(), id, ({ state }) => state.paused);
  await pause(2500);
  expect((await nights(client(), "fails")).map(({ status }) => status)).toEqual(["FAILED"]);
  const { row, columns } = await shown(stack, id);
  expect(row).toMatchObject({ paused: true, taken: 1 });
  expect(columns[1]).toBe("paused");
  expect(columns.at(-1)).toMatch(/^paused due to workflow failure: night\/fails-\S+: Line 3 of the data has no level$/);
  expect(await stack.attune("schedule", "unpause", id)).toMatchObject({ exitCode: 0 });
  await untilInfo(client(), id, ({ state, info }) => state.paused && info.numActionsTaken === 2);
});

test("nights that were missed by more than the catch-up window are not made up for, and counted", async () => {
  const at = { port: await freePort(0), dbFilename: join(tempFolder(), "temporal.db") };
  const first = await localServer([], at);
  const stack = await bench({ worker: false, address: first.address });
  const worker = async ({ nativeConnection }: typeof first) => {
    const control = await controlWorker(nativeConnection, stack.queues.control);
    const ended = control.run();
    return async () => {
      control.shutdown();
      await ended;
    };
  };
  const endFirst = await worker(first);
  const id = await often(stack, first.client, "better", "1s");
  await untilInfo(first.client, id, ({ info }) => info.numActionsTaken >= 2);
  const down = Date.now();
  await endFirst();
  await first.teardown();
  await pause(catchUpMs + 4000);
  const second = await localServer([], at);
  const up = Date.now();
  const endSecond = await worker(second);
  try {
    await untilInfo(second.client, id, ({ info }) => info.numActionsMissedCatchupWindow >= 2);
    await untilInfo(second.client, id, ({ info }) => (info.recentActions.at(-1)?.scheduledAt.getTime() ?? 0) > up);
    const { row, columns } = await shown(stack, id);
    expect(columns[4]).toBe(String(row?.["missedCatchupWindow"]));
    // Of those within the window one is made up for: the others would have begun while it went on.
    const begun = (await nights(second.client, "better")).map(({ at: meant }) => meant);
    expect(begun.filter((meant) => meant > down && meant < up - catchUpMs)).toEqual([]);
    expect(begun.filter((meant) => meant > up - catchUpMs && meant < up).length).toBeLessThanOrEqual(2);
  } finally {
    await endSecond();
    await second.teardown();
  }
});
