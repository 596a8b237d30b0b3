import { defaultPayloadConverter, fromPayloadsAtIndex } from "@temporalio/common";
import type { History } from "@temporalio/common/lib/proto-utils.js";
import { messages } from "../../contract/messages.ts";
import type { Control } from "../../contract/messages.ts";

export type Events = NonNullable<History["events"]>;
type Event = Events[number];

const closes = (event: Event): boolean =>
  Boolean(
    event.activityTaskCompletedEventAttributes ??
    event.activityTaskFailedEventAttributes ??
    event.activityTaskTimedOutEventAttributes ??
    event.activityTaskCanceledEventAttributes,
  );
const payloadOf = <T>(payloads: Parameters<typeof fromPayloadsAtIndex>[2]): T =>
  fromPayloadsAtIndex<T>(defaultPayloadConverter, 0, payloads);

/** Conversations that a shard opened although the orders that it had read by then forbade it. */
export function disobeyed(events: Events): readonly string[] {
  const controls = events.flatMap(({ eventId, workflowExecutionSignaledEventAttributes: signal }) =>
    signal?.signalName === messages.control ? [{ id: Number(eventId), control: payloadOf<Control>(signal.input?.payloads) }] : [],
  );
  const input = payloadOf<{ paused: boolean; window: number }>(
    events[0]?.workflowExecutionStartedEventAttributes?.input?.payloads,
  );
  const wrong: string[] = [];
  let opened = 0;
  for (const { eventId, activityTaskScheduledEventAttributes: scheduled } of events) {
    if (!scheduled) continue;
    opened += 1;
    // A workflow task knows all that stood before it was started.
    const task = events[Number(scheduled.workflowTaskCompletedEventId) - 1]?.workflowTaskCompletedEventAttributes;
    const known = Number(task?.startedEventId);
    const read = controls.filter(({ id }) => id < known).toSorted((a, b) => a.control.seq - b.control.seq);
    const paused = read.at(-1)?.control.paused ?? input.paused;
    const window = read.findLast(({ control }) => control.window !== undefined)?.control.window ?? input.window;
    const open = opened - events.filter((event) => Number(event.eventId) < known && closes(event)).length;
    if (paused || open > window) wrong.push(`event ${Number(eventId)}: ${open} open of ${window}${paused ? ", paused" : ""}`);
  }
  return wrong;
}

/** The most conversations that were open at a time over several shards. */
export function mostOpen(shards: readonly Events[]): number {
  const changes = shards
    .flat()
    .flatMap((event) => {
      const by = event.activityTaskScheduledEventAttributes ? 1 : closes(event) ? -1 : 0;
      return by === 0 ? [] : [{ at: Number(event.eventTime?.seconds) * 1e9 + Number(event.eventTime?.nanos), by }];
    })
    .toSorted((a, b) => a.at - b.at || a.by - b.by);
  let [open, most] = [0, 0];
  for (const { by } of changes) {
    open += by;
    most = Math.max(most, open);
  }
  return most;
}
