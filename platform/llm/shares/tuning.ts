import { z } from "zod";
import type { Amounts } from "./holders.ts";

/** Prefix of the records, one a provider. */
export const tuningPrefix = "tuning/";

export function tuningKey(provider: string): string {
  return `${tuningPrefix}${provider}`;
}

/** Limits that a person set over those of the configurations, for all runs, until they are reset. Absent: as configured; null: no such limit. */
const tuning = z.object({
  calls: z.int().min(1).optional(),
  requestsPerMinute: z.int().min(1).nullable().optional(),
  tokensPerMinute: z.int().min(1).nullable().optional(),
  at: z.string(),
});
export type Tuning = z.infer<typeof tuning>;

/** What cannot be read tunes nothing. */
export function readTuning(value: unknown): Tuning | null {
  return tuning.safeParse(value).data ?? null;
}

export function tuned(configured: Amounts, set: Tuning | null): Amounts {
  if (set === null) return configured;
  const { calls = configured.calls, requestsPerMinute, tokensPerMinute } = set;
  return {
    calls,
    requestsPerMinute: requestsPerMinute === undefined ? configured.requestsPerMinute : requestsPerMinute,
    tokensPerMinute: tokensPerMinute === undefined ? configured.tokensPerMinute : tokensPerMinute,
  };
}
