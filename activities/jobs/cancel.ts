import type { Context } from "@temporalio/activity";

/**
 * Whether a cancelled attempt must stop its job. Only a real request does: after a timeout, pause or reset another attempt takes over, a worker's
 * shutdown leaves the job to the next worker, and "not found" alone (terminated) is the reaper's case.
 */
function mustStop(details: Context["cancellationDetails"]): boolean {
  if (details === undefined || details.timedOut || details.paused || details.reset) return false;
  return details.cancelRequested;
}

/** Runs an attempt's body; when the attempt was cancelled, does what its reason asks for and throws that reason. */
export async function untilCancelled<T>(context: Context, stop: () => Promise<unknown>, body: () => Promise<T>): Promise<T> {
  try {
    return await body();
  } catch (error) {
    const { cancellationSignal: signal } = context;
    if (!signal.aborted) throw error;
    if (mustStop(context.cancellationDetails)) await stop();
    throw signal.reason;
  }
}
