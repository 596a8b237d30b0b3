import { setTimeout as sleep } from "node:timers/promises";
import type { Client, ScheduleDescription } from "@temporalio/client";
import { schedule as scheduleSchema } from "../../configs/schema/schedule.ts";
import { CliError, exitCodes, usageError } from "../errors.ts";
import { followNight } from "../follow-night.ts";
import { commandOutput } from "../output.ts";
import { openProject, withStores } from "../project.ts";
import { parseWritten } from "../config/issues.ts";
import { nearest } from "../config/nearest.ts";
import { readYaml } from "../config/yaml.ts";
import { withClient } from "../server/connect.ts";
import { applySchedule, describeSchedule, listSchedules, needPublished } from "../server/schedules.ts";
import { uiLink } from "../view/links.ts";
import { table } from "../view/table.ts";

interface Options {
  readonly json?: boolean;
}

const startMs = 30_000;

/** `attune schedule apply FILE`: the schedule becomes what the file says. */
export async function apply(file: string, options: Options): Promise<void> {
  const written = await readYaml(file);
  const wanted = parseWritten(scheduleSchema, written.value, written.where);
  const project = await openProject();
  await withStores(project, ({ records }) => needPublished(records, wanted.experiment));
  await withClient(project, async (client) => {
    const how = await applySchedule(client, wanted, project.queues);
    const next = (await describeSchedule(client, wanted.id))?.info.nextActionTimes[0] ?? null;
    commandOutput(options).result(
      { id: wanted.id, how, next },
      `${how === "created" ? "Created" : "Updated"} ${wanted.id}; next night ${time(next)}.`,
    );
  });
}

/** `attune schedule ls`: also the nights that were skipped or missed, which are silent otherwise. */
export async function ls(options: Options): Promise<void> {
  await withClient(await openProject(), async (client) => {
    const all = await listSchedules(client);
    const rows = all.map((description) => [
      description.scheduleId,
      description.state.paused ? "paused" : time(description.info.nextActionTimes[0] ?? null),
      String(description.info.numActionsTaken),
      String(description.info.numActionsSkippedOverlap),
      String(description.info.numActionsMissedCatchupWindow),
      description.state.note ?? "",
    ]);
    const text =
      all.length === 0
        ? "No schedules. Make one: npx attune schedule apply configs/schedules/nightly.yaml"
        : table([["schedule", "next", "taken", "skipped", "missed", "note"], ...rows], [0, 1, 5]);
    commandOutput(options).result(all.map(record), text);
  });
}

/** `attune schedule trigger ID`: a night now. With `--wait` its end decides: exit 100 when it regressed, 4 when it is held. */
export async function trigger(id: string, options: Options & { readonly wait?: boolean }): Promise<void> {
  const output = commandOutput(options);
  const project = await openProject();
  process.exitCode = await withClient(project, async (client) => {
    const before = await existing(client, id);
    await client.schedule.getHandle(id).trigger();
    const workflowId = await startedSince(client, id, before);
    output.say(`Started ${workflowId}${linked(uiLink(project, workflowId))}`);
    if (options.wait !== true) {
      output.result({ id, workflowId }, "");
      return exitCodes.done;
    }
    // A signal ends the command as any other: exit 0 would say that the night had passed.
    return followNight({ client, project, output, workflowId, record: { id, workflowId }, leaving: null });
  });
}

/** `pause`, `unpause` and `delete` of a schedule. */
export async function change(what: "pause" | "unpause" | "delete", id: string, options: Options): Promise<void> {
  await withClient(await openProject(), async (client) => {
    await existing(client, id);
    const handle = client.schedule.getHandle(id);
    await (what === "pause"
      ? handle.pause("by attune schedule pause")
      : what === "unpause"
        ? handle.unpause("by attune schedule unpause")
        : handle.delete());
    const done = { pause: "Paused", unpause: "Goes on", delete: "Deleted" }[what];
    commandOutput(options).result({ id, done: what }, `${done}: ${id}`);
  });
}

async function existing(client: Client, id: string): Promise<ScheduleDescription> {
  const description = await describeSchedule(client, id);
  if (description !== null) return description;
  const ids = (await listSchedules(client)).map(({ scheduleId }) => scheduleId);
  const meant = nearest(id, ids);
  throw usageError(
    `There is no schedule ${id}; ${ids.length === 0 ? "there are none" : meant === undefined ? `there are ${ids.join(", ")}` : `did you mean ${meant}?`}`,
  );
}

/** The workflow that a trigger started: the first action that was not there before. */
async function startedSince(client: Client, id: string, before: ScheduleDescription): Promise<string> {
  const known = new Set(before.info.recentActions.map(({ action }) => action.workflow.firstExecutionRunId));
  for (const until = Date.now() + startMs; Date.now() < until; await sleep(300)) {
    const { info } = await existing(client, id);
    const fresh = info.recentActions.find(({ action }) => !known.has(action.workflow.firstExecutionRunId));
    if (fresh !== undefined) return fresh.action.workflow.workflowId;
    if (info.numActionsSkippedOverlap > before.info.numActionsSkippedOverlap) {
      throw new CliError(
        exitCodes.failed,
        `Schedule ${id} skipped this night: the one before still goes, and its overlap is skip.`,
      );
    }
  }
  throw new CliError(
    exitCodes.failed,
    `Schedule ${id} started nothing within ${startMs / 1000} s; if its overlap is buffer_one, the night waits for the one before.`,
  );
}

function record({ scheduleId, state, policies, info }: ScheduleDescription) {
  return {
    id: scheduleId,
    paused: state.paused,
    note: state.note ?? null,
    next: info.nextActionTimes[0] ?? null,
    policies,
    taken: info.numActionsTaken,
    skippedOverlap: info.numActionsSkippedOverlap,
    missedCatchupWindow: info.numActionsMissedCatchupWindow,
    recent: info.recentActions.map(({ scheduledAt, action }) => ({ scheduledAt, workflowId: action.workflow.workflowId })),
  };
}

const time = (date: Date | null) => (date === null ? "none" : date.toISOString().replace(/\.\d+Z$/, "Z"));
const linked = (link: string | null) => (link === null ? "" : `\n  ${link}`);
