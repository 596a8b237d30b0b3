import type { Context } from "@temporalio/activity";
import type { JobHeartbeat } from "../../contract/jobs.ts";

const beatMs = 5000;

/** An attempt's heartbeats. */
export interface Heart {
  beat(beat: JobHeartbeat): void;
  /** Repeats the last one beside a step that is bounded in itself but may outlast the heartbeat timeout: a start, a stop, a large copy. */
  during<T>(body: () => Promise<T>): Promise<T>;
}

export function heartOf(context: Context, node: string): Heart {
  let last: JobHeartbeat = { step: 0, of: 0, loss: null, node, pid: null };
  const beat = (next: JobHeartbeat) => {
    last = next;
    context.heartbeat(next);
  };
  const during = async <T>(body: () => Promise<T>): Promise<T> => {
    beat(last);
    const timer = setInterval(() => beat(last), beatMs);
    try {
      return await body();
    } finally {
      clearInterval(timer);
    }
  };
  return { beat, during };
}
