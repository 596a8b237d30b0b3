import { Worker } from "node:worker_threads";

export interface Query {
  readonly file: string;
  readonly sql: string;
  readonly values: Readonly<Record<string, string>>;
}

/** All rows of a query that reads too much for the event loop, from a thread of its own. */
export function queryAside<Row>(file: string, sql: string, values: Query["values"]): Promise<readonly Row[]> {
  return new Promise((resolve, reject) => {
    const thread = new Worker(new URL("./query-thread.ts", import.meta.url), {
      workerData: { file, sql, values } satisfies Query,
    });
    thread.once("message", resolve);
    thread.once("error", reject);
    // Whatever ended it without either: nothing is left waiting.
    thread.once("exit", (code) => reject(new Error(`A query of ${file} ended with code ${code} and no answer`)));
  });
}
