import { ceilingPrefix, type Holders, usageNow } from "../../platform/llm/shares/holders.ts";
import { readTuning, type Tuning, tuningPrefix } from "../../platform/llm/shares/tuning.ts";
import type { Records } from "../../platform/records/records.ts";

/** Calls of a provider, over all llm workers of this data directory, whatever run they are for. */
export interface ProviderUse {
  readonly provider: string;
  readonly workers: number;
  readonly inFlight: number;
  /** Calls that may be in flight now: the ceiling, less what bursts of 429 cut. */
  readonly width: number;
}

/** Limits that `attune width` set over the configured ones. */
interface LimitsSet extends Tuning {
  readonly provider: string;
}

/** Providers that a worker calls now. */
export async function providersNow(records: Records, now: number): Promise<readonly ProviderUse[]> {
  return (await records.list(ceilingPrefix)).flatMap(({ key, value }) => {
    const use = { provider: key.slice(ceilingPrefix.length), ...usageNow(value as Holders, now) };
    return use.workers === 0 ? [] : [use];
  });
}

export async function limitsSet(records: Records): Promise<readonly LimitsSet[]> {
  return (await records.list(tuningPrefix)).flatMap(({ key, value }) => {
    const tuning = readTuning(value);
    return tuning === null ? [] : [{ provider: key.slice(tuningPrefix.length), ...tuning }];
  });
}

export function providersText(uses: readonly ProviderUse[], set: readonly LimitsSet[]): string {
  return [
    ...uses.map(
      ({ provider, inFlight, width, workers }) =>
        `${provider}: ${inFlight} calls in flight, ${width} may be${workers === 1 ? "" : ` (${workers} workers)`}`,
    ),
    ...set.map(
      (limits) =>
        `${limits.provider}: ${limitsText(limits)}, set over the configured limits (npx attune width ${limits.provider} --reset)`,
    ),
  ].join("\n");
}

function limitsText({ calls, requestsPerMinute, tokensPerMinute }: LimitsSet): string {
  const rate = (value: number | null | undefined, what: string) =>
    value === undefined ? [] : [value === null ? `no limit of ${what} a minute` : `${value} ${what} a minute`];
  return [
    ...(calls === undefined ? [] : [`${calls} calls in flight at most`]),
    ...rate(requestsPerMinute, "requests"),
    ...rate(tokensPerMinute, "tokens"),
  ].join(", ");
}
