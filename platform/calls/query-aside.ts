import { once } from "node:events";
import { Worker } from "node:worker_threads";

export interface Query {
  readonly file: string;
  readonly sql: string;
  readonly values: Readonly<Record<string, string>>;
}

/** All rows of a query that reads too much for the event loop, from a thread of its own. */
export async function queryAside<Row>(file: string, sql: string, values: Query["values"]): Promise<readonly Row[]> {
  const thread = new Worker(new URL("./query-thread.ts", import.meta.url), { workerData: { file, sql, values } satisfies Query });
  // An error of the thread is thrown here.
  const [rows] = (await once(thread, "message")) as [readonly Row[]];
  return rows;
}
