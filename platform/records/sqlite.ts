import { setImmediate } from "node:timers/promises";
import { withRoom } from "../no-room.ts";
import { isFull, openDatabase } from "../sqlite.ts";
import type { Records, Stored } from "./records.ts";

/** Rows that `each` reads at once. */
const pageRows = 64;

interface Row {
  key: string;
  value: string;
  version: number;
}

const schema = `
  PRAGMA busy_timeout = 30000;
  PRAGMA journal_mode = WAL;
  PRAGMA synchronous = FULL;
  CREATE TABLE IF NOT EXISTS records (key TEXT PRIMARY KEY, value TEXT NOT NULL, version INTEGER NOT NULL) WITHOUT ROWID;
`;

/** Records in one SQLite file that all processes of a machine share. */
export function sqliteRecords(file: string): Records {
  const db = openDatabase(file, schema);
  const select = db.prepare("SELECT key, value, version FROM records WHERE key = ?");
  // Versions begin anywhere: a record that was removed and made again is another one.
  const insert = db.prepare(
    "INSERT INTO records (key, value, version) VALUES (?, ?, abs(random() >> 12)) ON CONFLICT (key) DO NOTHING",
  );
  const update = db.prepare("UPDATE records SET value = ?, version = version + 1 WHERE key = ? AND version = ?");
  // A prefix is a range: `key < prefix || U+10FFFF` would miss nothing that our ASCII keys can hold.
  const endOf = (prefix: string) => `${prefix}\u{10ffff}`;
  const range = db.prepare("SELECT key, value, version FROM records WHERE key >= ? AND key < ? ORDER BY key");
  const firstPage = db.prepare("SELECT key, value, version FROM records WHERE key >= ? AND key < ? ORDER BY key LIMIT ?");
  const nextPage = db.prepare("SELECT key, value, version FROM records WHERE key > ? AND key < ? ORDER BY key LIMIT ?");
  const erase = db.prepare("DELETE FROM records WHERE key = ?");

  const parse = (row: Row): Stored => ({ key: row.key, value: JSON.parse(row.value), version: String(row.version) });
  const read = (key: string): Stored | null => {
    const row = select.get(key) as Row | undefined;
    return row === undefined ? null : parse(row);
  };

  const written = <T>(key: string, write: () => T): Promise<T> => withRoom(`Record ${key}`, file, async () => write(), isFull);

  return {
    get: async (key) => read(key),
    put: async (key, value, expected) => {
      const text = JSON.stringify(value);
      const { changes } = await written(key, () =>
        expected === null ? insert.run(key, text) : update.run(text, key, Number(expected)),
      );
      return Number(changes) === 1;
    },
    putFirst: async (key, value) => {
      await written(key, () => insert.run(key, JSON.stringify(value)));
      return read(key)?.value;
    },
    // Row by row: all texts would be in memory beside their values.
    list: async (prefix) => Array.from(range.iterate(prefix, endOf(prefix)), (row) => parse(row as unknown as Row)),
    each: async function* (prefix) {
      const end = endOf(prefix);
      let page = firstPage.all(prefix, end, pageRows) as unknown as Row[];
      while (page.length > 0) {
        yield* page.map(parse);
        // Whoever takes long over a page holds up the process, not for all of them.
        await setImmediate();
        page = nextPage.all(page.at(-1)?.key ?? end, end, pageRows) as unknown as Row[];
      }
    },
    remove: async (key) => {
      erase.run(key);
    },
    close: () => db.close(),
  };
}
