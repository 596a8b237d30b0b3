import { mkdirSync } from "node:fs";
import { dirname } from "node:path";
import { DatabaseSync } from "node:sqlite";

const patienceMs = 30_000;
const pauseMs = 25;
/** SQLITE_BUSY */
const busy = 5;

/**
 * Opens a database that several processes share and brings it to its schema. Processes that start together meet in the switch to WAL, where SQLite
 * says `locked` at once, whatever `busy_timeout` is: so it is tried again here.
 */
export function openDatabase(file: string, schema: string): DatabaseSync {
  mkdirSync(dirname(file), { recursive: true });
  const db = new DatabaseSync(file);
  const end = Date.now() + patienceMs;
  for (;;) {
    try {
      db.exec(schema);
      return db;
    } catch (error) {
      const isBusy =
        error instanceof Error && "errcode" in error && typeof error.errcode === "number" && (error.errcode & 0xff) === busy;
      if (!isBusy || Date.now() > end) {
        db.close();
        throw error;
      }
      Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, pauseMs);
    }
  }
}
