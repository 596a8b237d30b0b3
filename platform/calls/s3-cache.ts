import { randomUUID } from "node:crypto";
import type { Bucket } from "../s3/bucket.ts";
import { mapPool, requestWidth } from "../s3/pool.ts";
import type { CallCache, Removal, RunCalls } from "./cache.ts";
import { type LedgerLine, ledgerOf, segmentName, toText } from "./ledger-line.ts";
import { ledgerReader } from "./ledger-reader.ts";
import { callKey, failedPrefix } from "./s3.ts";

const ledgers = "ledger/";
/** Ledgers that are summed up at a time. */
const runsWidth = 4;

interface Marked {
  readonly runs: readonly string[];
  readonly calls: readonly string[];
  readonly failed: ReadonlySet<string>;
  readonly kept: ReadonlySet<string>;
}

/** The calls on S3 as a whole, from the runs' ledgers; null: no call was recorded yet. */
export async function openS3CallCache(bucket: Bucket): Promise<CallCache | null> {
  const names = async () => (await bucket.folders(ledgers)).map(decodeURIComponent);
  if ((await names()).length === 0) return null;
  const scan = (run: string, take: (line: LedgerLine, segmentBytes: number) => void) => ledgerReader(bucket, run, take).read();
  let marked: Marked | null = null;

  const sumOf = async (run: string): Promise<RunCalls> => {
    const sums = { calls: 0, inputTokens: 0, cachedInputTokens: 0, outputTokens: 0, knownUsd: 0, unpriced: 0, bytes: 0 };
    let lastUsedAt = "";
    await scan(run, (line) => {
      if (line.at > lastUsedAt) lastUsedAt = line.at;
      sums.bytes += JSON.stringify(line).length;
      // The answer that lost was counted when it was paid.
      if (line.outcome === "wasted" && line.booked) sums.calls -= 1;
      if (line.outcome !== "paid") return;
      sums.calls += 1;
      sums.inputTokens += line.usage.input;
      sums.cachedInputTokens += line.usage.cachedInput;
      sums.outputTokens += line.usage.output;
      sums.knownUsd += line.usd ?? 0;
      sums.unpriced += line.usd === null ? 1 : 0;
      sums.bytes += line.bytes;
    });
    return { run, ...sums, lastUsedAt };
  };

  const rereadBy = async (run: string, of: ReadonlyMap<string, unknown>): Promise<ReadonlySet<string>> => {
    const keys = new Set<string>();
    await scan(run, ({ key, outcome }) => {
      if (outcome === "reread" && of.has(key)) keys.add(key);
    });
    return keys;
  };

  const mark = async ({ runs, open }: { runs: readonly string[]; open: readonly string[] }): Promise<Removal> => {
    const paid = new Map<string, number | null>();
    const failed = new Set<string>();
    for (const run of runs)
      await scan(run, ({ key, outcome, usd }) => {
        if (outcome === "paid") paid.set(key, usd);
        if (outcome === "failed") failed.add(key);
      });
    const used = new Map<string, ReadonlySet<string>>();
    for (const run of await names()) if (!runs.includes(run) || open.includes(run)) used.set(run, await rereadBy(run, paid));
    const kept = new Set(open.flatMap((run) => [...(used.get(run) ?? [])]));
    for (const key of kept) paid.delete(key);
    const shared = [...used]
      .filter(([run]) => !runs.includes(run))
      .map(([run, keys]) => ({ run, calls: [...keys].filter((key) => paid.has(key)).length }))
      .filter(({ calls }) => calls > 0)
      .toSorted((a, b) => b.calls - a.calls || (a.run < b.run ? -1 : 1));
    const prices = [...paid.values()];
    const known = prices.filter((usd) => usd !== null);
    marked = { runs, calls: [...paid.keys()], failed, kept };
    return {
      calls: paid.size,
      knownUsd: known.reduce((sum, usd) => sum + usd, 0),
      unpriced: prices.length - known.length,
      kept: kept.size,
      shared,
    };
  };

  /** Its ledger is only of what stays. */
  const shrinkLedger = async (run: string, kept: ReadonlySet<string>) => {
    const lines: LedgerLine[] = [];
    const old: string[] = [];
    for await (const { key } of bucket.list(ledgerOf(run))) old.push(key);
    if (kept.size > 0)
      await scan(run, (line) => {
        if (line.outcome === "paid" && kept.has(line.key)) lines.push(line);
      });
    if (lines.length > 0) await bucket.put(ledgerOf(run) + segmentName(randomUUID(), 1), Buffer.from(toText(lines)));
    await mapPool(old, requestWidth, (key) => bucket.remove(key));
  };

  const removeAll = async (prefix: string) => {
    const keys: string[] = [];
    for await (const { key } of bucket.list(prefix)) keys.push(key);
    await mapPool(keys, requestWidth, (key) => bucket.remove(key));
  };

  return {
    runs: async () =>
      (await mapPool(await names(), runsWidth, sumOf)).toSorted((a, b) =>
        b.lastUsedAt < a.lastUsedAt ? -1 : b.lastUsedAt > a.lastUsedAt ? 1 : a.run < b.run ? -1 : 1,
      ),
    mark,
    remove: async () => {
      if (marked === null) return;
      const { runs, calls, failed, kept } = marked;
      await mapPool(calls, requestWidth, async (key) => {
        // Another run may have been first with this answer.
        const run = (await bucket.head(callKey(key)))?.metadata["run"];
        if (run !== undefined && runs.includes(decodeURIComponent(run))) await bucket.remove(callKey(key));
      });
      await mapPool([...failed], requestWidth, (key) => removeAll(failedPrefix(key)));
      // Last, since a removal that broke off is marked again from it.
      for (const run of runs) await shrinkLedger(run, kept);
    },
    size: async () => {
      let bytes = 0;
      for (const prefix of ["calls/", ledgers]) for await (const object of bucket.list(prefix)) bytes += object.bytes;
      return { bytes, free: 0 };
    },
    compact: async () => true,
    close: () => undefined,
  };
}
