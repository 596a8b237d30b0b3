import { mkdirSync } from "node:fs";
import { dirname } from "node:path";
import { DatabaseSync } from "node:sqlite";

const patienceMs = 30_000;
const pauseMs = 25;
/** SQLITE_BUSY, SQLITE_FULL */
const busy = 5;
const full = 13;

const hasCode = (error: unknown, code: number): boolean =>
  error instanceof Error && "errcode" in error && typeof error.errcode === "number" && (error.errcode & 0xff) === code;

/** Whether a write failed since its disk is full. */
export const isFull = (error: unknown): boolean => hasCode(error, full);

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
      if (!hasCode(error, busy) || Date.now() > end) {
        db.close();
        throw error;
      }
      Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, pauseMs);
    }
  }
}
