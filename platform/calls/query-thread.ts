import { parentPort, workerData } from "node:worker_threads";
import { openDatabase } from "../sqlite.ts";
import type { Query } from "./query-aside.ts";
import { callsSchema } from "./schema.ts";

const { file, sql, values } = workerData as Query;
const db = openDatabase(file, callsSchema);
const rows = db.prepare(sql).all(values);
db.close();
// oxlint-disable-next-line unicorn/require-post-message-target-origin -- a worker thread, no window
parentPort?.postMessage(rows);
