import { readFileSync, readdirSync } from "node:fs";
import { join } from "node:path";
import { DatabaseSync } from "node:sqlite";

/** What `attune run --json` says first. */
export interface Launched {
  readonly workflowId: string;
  readonly digest: string;
}
export const launched = (stdout: string) => JSON.parse(stdout.split("\n")[0] ?? "") as Launched;

/** What a run left in a data directory: rows of its data sets, outcomes of its conversations, calls that it found recorded. */
export function leftIn(home: string) {
  /** Rows of an SQL query over one of the stores. */
  const all = <Row>(file: string, sql: string, ...values: readonly string[]): readonly Row[] => {
    const db = new DatabaseSync(join(home, file), { readOnly: true });
    try {
      return db.prepare(sql).all(...values) as unknown as Row[];
    } finally {
      db.close();
    }
  };
  return {
    /** Lines of a context's data set. */
    rowsOf: (name: string, { digest }: Launched, context = "distress"): readonly string[] => {
      const data = join(home, "artifacts", "runs", name, digest, "data");
      const file = readdirSync(data).find((one) => new RegExp(`^conversations-${context}-[0-9a-f]{8}\\.jsonl$`).test(one)) ?? "";
      return readFileSync(join(data, file), "utf8").split("\n").slice(0, -1);
    },
    /** By unit: its status, and its reason where it has one. */
    unitStates: (name: string): ReadonlyMap<number, string> => {
      const sql = "SELECT key, value FROM records WHERE key LIKE ? ORDER BY key";
      return new Map(
        all<{ key: string; value: string }>("records.db", sql, `unit/${name}/%`).map(({ key, value }) => {
          const { outcome } = JSON.parse(value) as { outcome: { status: string; reason?: string } };
          return [Number(key.split("/").at(-1)), [outcome.status, outcome.reason ?? ""].join(" ").trim()];
        }),
      );
    },
    /** Keys of the calls that a run found recorded. */
    reread: ({ digest }: Launched): readonly string[] =>
      all<{ key: string }>(
        "calls.db",
        "SELECT lower(hex(key)) AS key FROM attempts WHERE run LIKE ? AND outcome = 'reread'",
        `${digest}%`,
      ).map(({ key }) => key),
  };
}
