import { MockActivityEnvironment } from "@temporalio/testing";
import { DefaultLogger } from "@temporalio/worker";
import { afterEach, expect, it, vi } from "vitest";
import { beating } from "../../../workers/beating.ts";

afterEach(() => void vi.useRealTimers());

it("an activity heartbeats while it works, though it never says so, and not once it has ended", async () => {
  vi.useFakeTimers();
  const env = new MockActivityEnvironment({}, { interceptors: [beating], logger: new DefaultLogger("ERROR", () => undefined) });
  let beats = 0;
  env.on("heartbeat", () => (beats += 1));
  const ends = env.run(async () => new Promise<string>((resolve) => setTimeout(() => resolve("sealed"), 61_000)));
  await vi.advanceTimersByTimeAsync(30_000);
  // The heartbeat timeout of control activities: several beats within it.
  expect(beats).toBeGreaterThanOrEqual(5);
  await vi.advanceTimersByTimeAsync(31_000);
  expect(await ends).toBe("sealed");
  const until = beats;
  const fails = env.run(async () => Promise.reject(new Error("no")));
  await expect(fails).rejects.toThrow("no");
  await vi.advanceTimersByTimeAsync(60_000);
  expect(beats).toBe(until);
});
