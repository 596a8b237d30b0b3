import { setTimeout as sleep } from "node:timers/promises";
import { isPassing } from "./problem.ts";

const longestMs = 60_000;
const firstPauseMs = 250;
const longestPauseMs = 5000;

/** Repeats a request while the server is busy or away, for a minute: the client's own repeats share one small budget, which 100 calls at once use up. */
export async function patiently<T>(request: () => Promise<T>): Promise<T> {
  const until = performance.now() + longestMs;
  for (let pauseMs = firstPauseMs; ; pauseMs = Math.min(2 * pauseMs, longestPauseMs)) {
    try {
      return await request();
    } catch (error) {
      if (!isPassing(error) || performance.now() > until) throw error;
      await sleep(pauseMs * (0.5 + Math.random() / 2));
    }
  }
}
