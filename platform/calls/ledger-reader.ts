import type { Bucket } from "../s3/bucket.ts";
import { mapPool, requestWidth } from "../s3/pool.ts";
import { type LedgerLine, ledgerOf, parsedSegment, segmentName, segmentNumber } from "./ledger-line.ts";

/** Lists of one ledger at a time. */
const listWidth = 16;

/** What a reader has seen of one process's segments: all up to `upTo`, and `ahead` of it. */
interface Seen {
  upTo: number;
  readonly ahead: Set<number>;
}

/** Follows the ledger of one run: each line is given out once, those of new segments at every `read`. */
export function ledgerReader(bucket: Bucket, run: string, take: (line: LedgerLine, segmentBytes: number) => void) {
  const folder = ledgerOf(run);
  const seen = new Map<string, Seen>();
  let reading: Promise<unknown> = Promise.resolve();

  const newOf = async (process: string) => {
    const { upTo, ahead } = seen.get(process) ?? { upTo: 0, ahead: new Set<number>() };
    const found: { process: string; number: number; key: string; bytes: number }[] = [];
    for await (const { key, bytes } of bucket.list(`${folder}${process}/`, folder + segmentName(process, upTo))) {
      const number = segmentNumber(key);
      if (!ahead.has(number)) found.push({ process, number, key, bytes });
    }
    return found;
  };

  const mark = (process: string, number: number) => {
    const of = seen.get(process) ?? { upTo: 0, ahead: new Set<number>() };
    seen.set(process, of);
    of.ahead.add(number);
    while (of.ahead.delete(of.upTo + 1)) of.upTo += 1;
  };

  const readNew = async () => {
    const processes = await bucket.folders(folder);
    const segments = (await mapPool(processes, listWidth, newOf)).flat();
    await mapPool(segments, requestWidth, async ({ process, number, key, bytes }) => {
      const found = await bucket.read(key);
      if (found === null) return;
      for (const line of parsedSegment(found.body.toString("utf8"))) take(line, bytes);
      mark(process, number);
    });
  };

  return {
    /** One after the other, so that no segment is taken twice. */
    read: (): Promise<void> => {
      const next = reading.then(readNew, readNew);
      reading = next.catch(() => undefined);
      return next;
    },
  };
}
