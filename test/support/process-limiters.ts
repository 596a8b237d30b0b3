import { adaptiveLimiter, type Limiter } from "../../platform/llm/limiter.ts";
import type { Limiters } from "../../platform/llm/limiters.ts";

/** Limits of this process alone, and the limiters that calls have met so far, by provider. */
export function processLimiters(): Limiters & { readonly met: ReadonlyMap<string, Limiter> } {
  const met = new Map<string, Limiter>();
  return {
    met,
    of: (endpoint) => {
      const limiter = met.get(endpoint.provider) ?? adaptiveLimiter(endpoint);
      met.set(endpoint.provider, limiter);
      limiter.retune(endpoint);
      return limiter;
    },
    close: async () => undefined,
  };
}
