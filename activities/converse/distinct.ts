import { setImmediate } from "node:timers/promises";
import type { Experiment } from "../../configs/schema/experiment.ts";
import { nearDuplicates } from "../../domain/near-duplicates.ts";
import type { Turn } from "../../domain/transcript.ts";

/** A worker that holds its event loop for long is taken for dead. */
const atOnceMs = 50;

interface Talk {
  readonly turns: readonly Turn[];
}

/**
 * Tells of one conversation after another, by its unit and in order, whether it nearly equals an earlier one that is kept.
 * @param earlier reads one again, since many don't fit in memory
 */
export function nearCopies(
  earlier: (unit: number) => Promise<Talk | null>,
  { conversations, nearDuplicates: { similarity } }: Pick<Experiment["converse"], "conversations" | "nearDuplicates">,
): (unit: number, talk: Talk) => Promise<boolean> {
  if (similarity === null) return async () => false;
  let since = performance.now();
  const look = nearDuplicates(async (unit) => textOf(await earlier(unit)), { count: conversations, similarity });
  return async (unit, talk) => {
    const found = await look(unit, textOf(talk));
    if (performance.now() - since > atOnceMs) {
      await setImmediate();
      since = performance.now();
    }
    return found !== null;
  };
}

const textOf = (talk: Talk | null): string => talk?.turns.map(({ text }) => text).join("\n") ?? "";
