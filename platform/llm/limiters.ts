import type { Endpoint } from "./client.ts";
import { adaptiveLimiter, type Limiter } from "./limiter.ts";

/** One limiter per provider, by its configured name. */
export interface Limiters {
  /** The provider's limiter, under the limits of the latest call that named others. */
  of(endpoint: Endpoint): Limiter;
  /** Width and calls in flight, by provider. */
  widths(): Readonly<Record<string, { readonly width: number; readonly inFlight: number }>>;
}

/** Limits of this process alone. */
export function processLimiters(): Limiters {
  const limiters = new Map<string, { readonly limiter: Limiter; limits: Endpoint }>();
  return {
    of: (endpoint) => {
      const existing = limiters.get(endpoint.provider);
      if (existing === undefined) {
        const limiter = adaptiveLimiter(endpoint);
        limiters.set(endpoint.provider, { limiter, limits: endpoint });
        return limiter;
      }
      if (!sameLimits(existing.limits, endpoint)) {
        existing.limiter.retune(endpoint);
        existing.limits = endpoint;
      }
      return existing.limiter;
    },
    widths: () =>
      Object.fromEntries(
        [...limiters].map(
          ([
            provider,
            {
              limiter: { width, inFlight },
            },
          ]) => [provider, { width, inFlight }],
        ),
      ),
  };
}

function sameLimits(a: Endpoint, b: Endpoint): boolean {
  return a.width === b.width && a.requestsPerMinute === b.requestsPerMinute && a.tokensPerMinute === b.tokensPerMinute;
}
