/** How much of a provider's limits: calls in flight, and requests and tokens a minute where the configuration gives them. */
export interface Amounts {
  readonly calls: number;
  readonly requestsPerMinute: number | null;
  readonly tokensPerMinute: number | null;
}

/** One process's part of a provider's limits, as all processes see it. */
interface Holder {
  /** It never uses more than this, so that all parts together stay within the limits. */
  readonly held: Amounts;
  /** Calls it has in flight or waiting. */
  readonly demand: number;
  readonly inFlight: number;
  /** Calls it lets out at a time: its part, less what a burst of 429 cut. */
  readonly width: number;
  /** When it last said so, ms. */
  readonly at: number;
}

/** Prefix of the records, one a provider. */
export const ceilingPrefix = "ceiling/";

/** By process; the value of one record a provider. */
export type Holders = Readonly<Record<string, Holder>>;

export interface Situation {
  readonly ceiling: Amounts;
  readonly demand: number;
  readonly width: number;
  /** In flight now, and what the last minute's calls used. */
  readonly used: { readonly calls: number; readonly requests: number; readonly tokens: number };
  readonly now: number;
}

/** A process that has said nothing for so long is dead. */
export const leaseMs = 10_000;
const minuteMs = 60_000;

/**
 * What the record should say after `me` has looked at it, and what `me` may use from then on. A process raises its part only by what nobody holds, and
 * gives up what it has in use only once that has ended: at every moment the parts add up to the limits at most.
 */
export function rebalance(
  holders: Holders,
  me: string,
  { ceiling, demand, width, used, now }: Situation,
): { holders: Holders; mine: Amounts } {
  const others = Object.fromEntries(
    Object.entries(holders).flatMap(([id, holder]) => {
      const left = id === me ? null : remaining(holder, now);
      return left === null ? [] : [[id, left] as const];
    }),
  );
  const sharing = Object.entries({ ...others, [me]: { held: none, demand, at: now, inFlight: 0, width: 0 } }).filter(
    ([, { at }]) => now - at <= leaseMs,
  );
  const target = fairShares(new Map(sharing.map(([id, holder]) => [id, holder.demand])), ceiling.calls).get(me) ?? 0;
  const part = ceiling.calls === 0 ? 0 : target / ceiling.calls;
  const free = (limit: number, of: (amounts: Amounts) => number) =>
    Math.max(0, limit - Object.values(others).reduce((sum, { held }) => sum + of(held), 0));
  const rate = (limit: number | null, of: (amounts: Amounts) => number) =>
    limit === null ? null : Math.min(Math.floor(limit * part), free(limit, of));
  const mine: Amounts = {
    calls: Math.min(
      target,
      free(ceiling.calls, ({ calls }) => calls),
    ),
    requestsPerMinute: rate(ceiling.requestsPerMinute, (held) => held.requestsPerMinute ?? 0),
    tokensPerMinute: rate(ceiling.tokensPerMinute, (held) => held.tokensPerMinute ?? 0),
  };
  const held: Amounts = {
    calls: Math.max(mine.calls, used.calls),
    requestsPerMinute: mine.requestsPerMinute === null ? null : Math.max(mine.requestsPerMinute, used.requests),
    tokensPerMinute: mine.tokensPerMinute === null ? null : Math.max(mine.tokensPerMinute, used.tokens),
  };
  return { holders: { ...others, [me]: { held, demand, at: now, inFlight: used.calls, width } }, mine };
}

const none: Amounts = { calls: 0, requestsPerMinute: null, tokensPerMinute: null };

/** How a provider is used now, over all processes that live. */
export function usageNow(
  holders: Holders,
  now: number,
): { readonly workers: number; readonly inFlight: number; readonly width: number } {
  const live = Object.values(holders).filter(({ at }) => now - at <= leaseMs);
  const sum = (of: (holder: Holder) => number) => live.reduce((total, holder) => total + of(holder), 0);
  return { workers: live.length, inFlight: sum(({ inFlight }) => inFlight), width: sum(({ width }) => width) };
}

/** What still counts of another's part: all of it while it lives, its calls of the last minute for a minute more, then nothing. */
function remaining(holder: Holder, now: number): Holder | null {
  const silent = now - holder.at;
  if (silent <= leaseMs) return holder;
  return silent <= leaseMs + minuteMs ? { ...holder, demand: 0, held: { ...holder.held, calls: 0 } } : null;
}

/**
 * Divides `total` whole calls by demand (max-min fair): nobody gets more than it wants while another wants more; what nobody wants is spread evenly.
 * The parts add up to `total`.
 */
export function fairShares(demands: ReadonlyMap<string, number>, total: number): Map<string, number> {
  const ids = [...demands.keys()].toSorted((a, b) => (demands.get(a) ?? 0) - (demands.get(b) ?? 0) || (a < b ? -1 : 1));
  const shares = new Map<string, number>();
  let left = total;
  for (const [i, id] of ids.entries()) {
    const share = Math.min(Math.max(1, demands.get(id) ?? 0), Math.floor(left / (ids.length - i)));
    shares.set(id, share);
    left -= share;
  }
  // The hungriest come last in the order and take what is left of an uneven division first.
  for (const [i, id] of ids.toReversed().entries()) {
    const extra = Math.ceil(left / (ids.length - i));
    shares.set(id, (shares.get(id) ?? 0) + extra);
    left -= extra;
  }
  return shares;
}
