import type { Records } from "../records/records.ts";
import type { Endpoint } from "./client.ts";
import { adaptiveLimiter, type Limiter } from "./limiter.ts";
import { type Amounts, ceilingPrefix, type Holders } from "./shares/holders.ts";
import { Lease } from "./shares/lease.ts";

/** One limiter per provider, by its configured name. */
export interface Limiters {
  /** The provider's limiter, under the limits that calls of the last minute named. */
  of(endpoint: Endpoint): Limiter;
  /** Gives back what this process holds of limits that it shares. */
  close(): Promise<void>;
}

interface SharedLimiters extends Limiters {
  /** Notices from now on who falls silent, also of providers that it does not call yet: a killed process's part is free when its conversations come here. */
  watch(): void;
}

/** Well below the pause after which a process can't tell any more who was silent (`shares/silence.ts`). */
const idleLookMs = 2000;

/** Limits that hold over all processes with the same records: each uses the part that it holds of them. `me` names this process. */
export function sharedLimiters(records: Records, me: string, onError?: (error: unknown) => void): SharedLimiters {
  const known = new Map<string, Shared>();
  const find = (provider: string): Shared => {
    const existing = known.get(provider);
    if (existing !== undefined) return existing;
    const limiter = adaptiveLimiter({ width: 0 });
    const named = new Map<string, Named>();
    const lease = new Lease({
      records,
      me,
      provider,
      limiter,
      // The next look takes up what changed: runs that name other limits take turns call by call.
      ceiling: () => smallest(lately(named)),
      ...(onError === undefined ? {} : { onError }),
    });
    const opened = { limiter, lease, named };
    known.set(provider, opened);
    return opened;
  };
  let watching: NodeJS.Timeout | undefined;
  const lookAround = async () => {
    for (const { key, value } of await records.list(ceilingPrefix))
      find(key.slice(ceilingPrefix.length)).lease.notice(value as Holders);
  };
  return {
    watch: () => {
      watching ??= setInterval(() => void lookAround().catch((error: unknown) => onError?.(error)), idleLookMs).unref();
    },
    of: (endpoint) => {
      const { limiter, lease, named } = find(endpoint.provider);
      named.set(limitsName(endpoint), { endpoint, at: performance.now() });
      lease.use();
      return limiter;
    },
    close: async () => {
      clearInterval(watching);
      await Promise.all([...known.values()].map(({ lease }) => lease.close()));
    },
  };
}

interface Shared {
  readonly limiter: Limiter;
  readonly lease: Lease;
  readonly named: Map<string, Named>;
}

/** Where runs name a provider with different limits, the smallest hold. */
function smallest(endpoints: readonly Endpoint[]): Amounts {
  const least = (values: readonly (number | null)[]) => {
    const given = values.filter((value) => value !== null);
    return given.length === 0 ? null : Math.min(...given);
  };
  const amounts = endpoints.map(amountsOf);
  return {
    calls: Math.min(...amounts.map(({ calls }) => calls)),
    requestsPerMinute: least(amounts.map(({ requestsPerMinute }) => requestsPerMinute)),
    tokensPerMinute: least(amounts.map(({ tokensPerMinute }) => tokensPerMinute)),
  };
}

function amountsOf({ width, requestsPerMinute, tokensPerMinute }: Endpoint): Amounts {
  return { calls: width, requestsPerMinute: requestsPerMinute ?? null, tokensPerMinute: tokensPerMinute ?? null };
}

interface Named {
  readonly endpoint: Endpoint;
  readonly at: number;
}

const namedMs = 60_000;

/** What was named in the last minute; the newest where nothing was. */
function lately(named: Map<string, Named>): readonly Endpoint[] {
  const now = performance.now();
  const newest = [...named.values()].toSorted((a, b) => b.at - a.at)[0];
  for (const [name, { at }] of named) if (now - at > namedMs && at !== newest?.at) named.delete(name);
  return [...named.values()].map(({ endpoint }) => endpoint);
}

const limitsName = ({ width, requestsPerMinute, tokensPerMinute }: Endpoint) =>
  `${width}/${requestsPerMinute}/${tokensPerMinute}`;
