import type { Records } from "../records/records.ts";
import type { Endpoint } from "./client.ts";
import { adaptiveLimiter, type Limiter } from "./limiter.ts";
import type { Amounts } from "./shares/holders.ts";
import { Lease } from "./shares/lease.ts";

/** One limiter per provider, by its configured name. */
export interface Limiters {
  /** The provider's limiter, under the limits of the latest call that named others. */
  of(endpoint: Endpoint): Limiter;
  /** Width and calls in flight, by provider. */
  widths(): Readonly<Record<string, { readonly width: number; readonly inFlight: number }>>;
  /** Gives back what this process holds of limits that it shares. */
  close(): Promise<void>;
}

/** Limits of this process alone. */
export function processLimiters(): Limiters {
  return limitersOf<null>({
    open: (endpoint) => ({ limiter: adaptiveLimiter(endpoint()), more: null }),
    changed: ({ limiter }, endpoint) => limiter.retune(endpoint),
  });
}

/** Limits that hold over all processes with the same records: each uses the part that it holds of them. `me` names this process. */
export function sharedLimiters(records: Records, me: string, onError?: (error: unknown) => void): Limiters {
  return limitersOf<Lease>({
    open: (endpoint) => {
      const limiter = adaptiveLimiter({ width: 0 });
      const { provider } = endpoint();
      const lease = new Lease({
        records,
        me,
        provider,
        limiter,
        ceiling: () => amountsOf(endpoint()),
        ...(onError === undefined ? {} : { onError }),
      });
      return { limiter, more: lease };
    },
    used: ({ more }) => more.use(),
    changed: ({ more }) => void more.look(),
    close: ({ more }) => more.close(),
  });
}

function amountsOf({ width, requestsPerMinute, tokensPerMinute }: Endpoint): Amounts {
  return { calls: width, requestsPerMinute: requestsPerMinute ?? null, tokensPerMinute: tokensPerMinute ?? null };
}

interface Opened<More> {
  readonly limiter: Limiter;
  readonly more: More;
}

interface Kind<More> {
  readonly open: (endpoint: () => Endpoint) => Opened<More>;
  readonly used?: (opened: Opened<More>) => void;
  readonly changed: (opened: Opened<More>, endpoint: Endpoint) => void;
  readonly close?: (opened: Opened<More>) => Promise<void>;
}

function limitersOf<More>({ open, used, changed, close }: Kind<More>): Limiters {
  const known = new Map<string, { readonly opened: Opened<More>; endpoint: Endpoint }>();
  const find = (endpoint: Endpoint) => {
    const existing = known.get(endpoint.provider);
    if (existing !== undefined) return existing;
    const now = { endpoint };
    const entry = Object.assign(now, { opened: open(() => now.endpoint) });
    known.set(endpoint.provider, entry);
    return entry;
  };
  return {
    of: (endpoint) => {
      const entry = find(endpoint);
      if (!sameLimits(entry.endpoint, endpoint)) {
        entry.endpoint = endpoint;
        changed(entry.opened, endpoint);
      }
      used?.(entry.opened);
      return entry.opened.limiter;
    },
    widths: () =>
      Object.fromEntries(
        [...known].map(
          ([
            name,
            {
              opened: { limiter },
            },
          ]) => [name, { width: limiter.width, inFlight: limiter.inFlight }],
        ),
      ),
    close: async () => {
      if (close !== undefined) await Promise.all([...known.values()].map(({ opened }) => close(opened)));
    },
  };
}

function sameLimits(a: Endpoint, b: Endpoint): boolean {
  return a.width === b.width && a.requestsPerMinute === b.requestsPerMinute && a.tokensPerMinute === b.tokensPerMinute;
}
