import { sleep } from "@temporalio/workflow";

/** When something last completed; `waiting` is false while nothing is expected to (nothing open, paused, held). */
interface Watched {
  lastAt: number;
  readonly waiting: boolean;
}

/** Calls `onStall` when nothing has completed for `limitMs` although something is open. One timer a limit, not one a completion; ends by cancel. */
export async function watchForStall(limitMs: number, watched: Watched, onStall: () => void): Promise<never> {
  for (;;) {
    const left = watched.lastAt + limitMs - Date.now();
    if (left > 0) {
      await sleep(left, { summary: "stall watch" });
      continue;
    }
    if (watched.waiting) onStall();
    watched.lastAt = Date.now();
  }
}
