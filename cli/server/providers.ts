import { ceilingPrefix, type Holders, usageNow } from "../../platform/llm/shares/holders.ts";
import type { Records } from "../../platform/records/records.ts";

/** Calls of a provider, over all llm workers of this data directory, whatever run they are for. */
export interface ProviderUse {
  readonly provider: string;
  readonly workers: number;
  readonly inFlight: number;
  /** Calls that may be in flight now: the ceiling, less what bursts of 429 cut. */
  readonly width: number;
}

/** Providers that a worker calls now. */
export async function providersNow(records: Records, now: number): Promise<readonly ProviderUse[]> {
  return (await records.list(ceilingPrefix)).flatMap(({ key, value }) => {
    const use = { provider: key.slice(ceilingPrefix.length), ...usageNow(value as Holders, now) };
    return use.workers === 0 ? [] : [use];
  });
}

export function providersText(uses: readonly ProviderUse[]): string {
  return uses
    .map(
      ({ provider, inFlight, width, workers }) =>
        `${provider}: ${inFlight} calls in flight, ${width} may be${workers === 1 ? "" : ` (${workers} workers)`}`,
    )
    .join("\n");
}
