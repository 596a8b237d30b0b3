import { servingKey } from "../../contract/places.ts";
import { z } from "zod";
import type { Serving } from "../../contract/jobs.ts";
import type { ProcessId } from "../../platform/jobs/processes.ts";
import { readJson } from "../../platform/jobs/folder.ts";
import type { JobPlace } from "../../platform/jobs/folder.ts";
import { updateRecord } from "../../platform/records/update.ts";
import type { Deps } from "../deps.ts";
import { updateJob } from "./record.ts";

/** `ready.json`, which a server writes once it answers. */
const ready = z.looseObject({
  endpoint: z.url(),
  models: z.array(z.string()).min(1),
  weights: z.record(z.string(), z.string()),
  engine: z.string(),
});
export type Ready = z.infer<typeof ready>;

/** Null while the server isn't ready. */
export async function readReady(place: JobPlace): Promise<Ready | null> {
  const parsed = ready.safeParse(await readJson(place.ready));
  return parsed.success ? parsed.data : null;
}

/** Puts the `serving/<job>` record: a process that is already known keeps its generation, a new one gets the next. */
export async function announce(
  stores: Pick<Deps, "records">,
  job: string,
  { pid, startTime }: ProcessId,
  found: Ready,
): Promise<Serving> {
  const { generation } = await updateJob(stores, job, (record) =>
    record.serving?.pid === pid && record.serving.startTime === startTime
      ? record
      : { ...record, generation: record.generation + 1, serving: { pid, startTime } },
  );
  return updateRecord<Serving>(stores.records, servingKey(job), () => ({
    endpoint: found.endpoint,
    generation,
    models: found.models,
    weights: found.weights,
    engine: found.engine,
  }));
}

/** Whether the server answers at all. */
export async function answers(endpoint: string, timeoutMs: number): Promise<boolean> {
  try {
    const response = await fetch(`${endpoint}/models`, { signal: AbortSignal.timeout(timeoutMs) });
    await response.arrayBuffer();
    return response.ok;
  } catch {
    return false;
  }
}
