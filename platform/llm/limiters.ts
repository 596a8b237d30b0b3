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
    open: (endpoint) => ({ limiter: adaptiveLimiter(endpoint), more: null }),
    changed: ({ limiter }, endpoint) => limiter.retune(endpoint),
  });
}

/** Limits that hold over all processes with the same records: each uses the part that it holds of them. `me` names this process. */
export function sharedLimiters(records: Records, me: string, onError?: (error: unknown) => void): Limiters {
  return limitersOf<Lease>({
    open: ({ provider }, named) => {
      const limiter = adaptiveLimiter({ width: 0 });
      const lease = new Lease({
        records,
        me,
        provider,
        limiter,
        ceiling: () => smallest(named()),
        ...(onError === undefined ? {} : { onError }),
      });
      return { limiter, more: lease };
    },
    used: ({ more }) => more.use(),
    // The next look takes it up: runs that name other limits take turns call by call.
    changed: () => undefined,
    close: ({ more }) => more.close(),
  });
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

interface Opened<More> {
  readonly limiter: Limiter;
  readonly more: More;
}

interface Kind<More> {
  /** `named`: the limits that calls of the last minute named. */
  readonly open: (endpoint: Endpoint, named: () => readonly Endpoint[]) => Opened<More>;
  readonly used?: (opened: Opened<More>) => void;
  readonly changed: (opened: Opened<More>, endpoint: Endpoint) => void;
  readonly close?: (opened: Opened<More>) => Promise<void>;
}

function limitersOf<More>({ open, used, changed, close }: Kind<More>): Limiters {
  const known = new Map<string, { readonly opened: Opened<More>; endpoint: Endpoint; readonly named: Map<string, Named> }>();
  const find = (endpoint: Endpoint) => {
    const existing = known.get(endpoint.provider);
    if (existing !== undefined) return existing;
    const named = new Map<string, Named>();
    const entry = { endpoint, named, opened: open(endpoint, () => lately(named, endpoint)) };
    known.set(endpoint.provider, entry);
    return entry;
  };
  return {
    of: (endpoint) => {
      const entry = find(endpoint);
      entry.named.set(limitsName(endpoint), { endpoint, at: performance.now() });
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

interface Named {
  readonly endpoint: Endpoint;
  readonly at: number;
}

const namedMs = 60_000;

/** What was named in the last minute; the newest where nothing was. */
function lately(named: Map<string, Named>, first: Endpoint): readonly Endpoint[] {
  const now = performance.now();
  const newest = [...named.values()].toSorted((a, b) => b.at - a.at)[0];
  for (const [name, { at }] of named) if (now - at > namedMs && at !== newest?.at) named.delete(name);
  return named.size === 0 ? [first] : [...named.values()].map(({ endpoint }) => endpoint);
}

const limitsName = ({ width, requestsPerMinute, tokensPerMinute }: Endpoint) =>
  `${width}/${requestsPerMinute}/${tokensPerMinute}`;

function sameLimits(a: Endpoint, b: Endpoint): boolean {
  return a.width === b.width && a.requestsPerMinute === b.requestsPerMinute && a.tokensPerMinute === b.tokensPerMinute;
}
