import {
  type CalendarSpec,
  type Client,
  type DayOfWeek,
  ScheduleNotFoundError,
  ScheduleOverlapPolicy,
  type ScheduleDescription,
  type ScheduleOptions,
} from "@temporalio/client";
import type { Schedule } from "../../configs/schema/schedule.ts";
import type { NightlyInput } from "../../contract/experiment.ts";
import type { Queues } from "../../contract/queues.ts";
import { usageError } from "../errors.ts";
import { workflowTypes } from "./launch.ts";

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
      // The server adds the night's time.
      workflowId: `night/${schedule.experiment}`,
      taskQueue: queues.control,
      args: [input],
      staticSummary: `Night of ${schedule.experiment}`,
    },
  };
}

function calendarSpec({ dayOfWeek, ...rest }: NonNullable<Schedule["calendar"]>): CalendarSpec {
  const days = Array.isArray(dayOfWeek) ? dayOfWeek : [dayOfWeek];
  return days.includes("*") ? rest : { ...rest, dayOfWeek: days.map((day) => day.toUpperCase() as DayOfWeek) };
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
