import {
  type CalendarSpec,
  type Client,
  type DayOfWeek,
  ScheduleNotFoundError,
  ScheduleOverlapPolicy,
  type ScheduleDescription,
  type ScheduleOptions,
} from "@temporalio/client";
import { defineSearchAttributeKey, SearchAttributeType } from "@temporalio/common";
import type { Schedule } from "../../configs/schema/schedule.ts";
import type { NightlyInput } from "../../contract/experiment.ts";
import type { Queues } from "../../contract/queues.ts";
import { searchAttributes } from "../../contract/search-attributes.ts";
import type { Records } from "../../platform/records/records.ts";
import { nearest } from "../config/nearest.ts";
import { usageError } from "../errors.ts";
import { workflowTypes } from "./launch.ts";
import { nightId } from "./nights.ts";

const overlaps = { skip: ScheduleOverlapPolicy.SKIP, buffer_one: ScheduleOverlapPolicy.BUFFER_ONE } as const;
const unitMs = { s: 1000, m: 60_000, h: 3_600_000, d: 86_400_000 } as const;

/** `6h` → milliseconds. */
function spanMs(span: string): number {
  const unit = span.at(-1);
  if (unit !== "s" && unit !== "m" && unit !== "h" && unit !== "d") throw new Error(`${span} is no span of time`);
  return Number(span.slice(0, -1)) * unitMs[unit];
}

function options(schedule: Schedule, queues: Queues): Omit<ScheduleOptions, "memo"> {
  const input: NightlyInput = { experiment: schedule.experiment, queues };
  const { calendar } = schedule;
  return {
    scheduleId: schedule.id,
    spec: {
      timezone: schedule.timezone,
      ...(schedule.cron === undefined ? {} : { cronExpressions: [schedule.cron] }),
      ...(calendar === undefined ? {} : { calendars: [calendarSpec(calendar)] }),
      ...(schedule.jitter === undefined ? {} : { jitter: spanMs(schedule.jitter) }),
    },
    policies: {
      overlap: overlaps[schedule.overlap],
      catchupWindow: spanMs(schedule.catchupWindow),
      pauseOnFailure: schedule.pauseOnFailure,
    },
    action: {
      type: "startWorkflow",
      workflowType: workflowTypes.nightly,
      workflowId: nightId(schedule.experiment),
      taskQueue: queues.control,
      args: [input],
      typedSearchAttributes: [
        {
          key: defineSearchAttributeKey(searchAttributes.experiment.name, SearchAttributeType.KEYWORD),
          value: schedule.experiment,
        },
      ],
      staticSummary: `Night of ${schedule.experiment}`,
    },
  };
}

function calendarSpec({ dayOfWeek, ...rest }: NonNullable<Schedule["calendar"]>): CalendarSpec {
  const days = Array.isArray(dayOfWeek) ? dayOfWeek : [dayOfWeek];
  return days.includes("*") ? rest : { ...rest, dayOfWeek: days.map((day) => day.toUpperCase() as DayOfWeek) };
}

/**
 * A night evaluates what an experiment's finished run published.
 * @throws CliError (exit 2) when nothing is published under the name
 */
export async function needPublished(records: Records, experiment: string): Promise<void> {
  const prefix = "published/";
  if ((await records.get(`${prefix}${experiment}`)) !== null) return;
  const names = (await records.list(prefix)).map(({ key }) => key.slice(prefix.length));
  const meant = nearest(experiment, names);
  const there = names.length === 0 ? "" : ` Published are ${names.join(", ")}.`;
  throw usageError(
    `experiment is ${experiment}, which has published no experts that a night could evaluate${meant === undefined ? `.${there}` : `; did you mean ${meant}?`} Run the experiment to its end first: npx attune run FILE`,
  );
}

/** Creates the schedule or makes it what the file says; pausing is left as it is. */
export async function applySchedule(client: Client, schedule: Schedule, queues: Queues): Promise<"created" | "updated"> {
  const wanted = options(schedule, queues);
  const handle = client.schedule.getHandle(schedule.id);
  try {
    if ((await describeSchedule(client, schedule.id)) === null) {
      await client.schedule.create(wanted);
      return "created";
    }
    await handle.update(({ state }) => ({ spec: wanted.spec, policies: wanted.policies ?? {}, action: wanted.action, state }));
    return "updated";
  } catch (error) {
    if (isRefused(error)) throw usageError(`Schedule ${schedule.id} can't be set: ${error.message}.`);
    throw error;
  }
}

/** null when the server has none of this id. */
export async function describeSchedule(client: Client, id: string): Promise<ScheduleDescription | null> {
  try {
    return await client.schedule.getHandle(id).describe();
  } catch (error) {
    if (error instanceof ScheduleNotFoundError) return null;
    throw error;
  }
}

/** All of Attune's schedules, by id. */
export async function listSchedules(client: Client): Promise<readonly ScheduleDescription[]> {
  const ids: string[] = [];
  for await (const { scheduleId, action } of client.schedule.list())
    if (action?.type === "startWorkflow" && action.workflowType === workflowTypes.nightly) ids.push(scheduleId);
  const described = await Promise.all(ids.toSorted().map((id) => describeSchedule(client, id)));
  return described.filter((description) => description !== null);
}

/** The client refuses what it can't encode by a TypeError, the server by INVALID_ARGUMENT (3). */
function isRefused(error: unknown): error is Error {
  if (error instanceof TypeError) return true;
  for (let cause = error; cause instanceof Error; cause = cause.cause) if ("code" in cause && cause.code === 3) return true;
  return false;
}
