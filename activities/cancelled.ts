import { asyncLocalStorage } from "@temporalio/activity";

/**
 * Ends an attempt that nobody waits for any more: cancelled, or given up since its heartbeats were late. Outside of an activity nothing happens.
 * @throws what the signal was aborted with
 */
export function heedCancel(): void {
  asyncLocalStorage.getStore()?.cancellationSignal.throwIfAborted();
}
