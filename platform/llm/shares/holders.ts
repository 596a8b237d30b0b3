import { fairShares, tokenShares } from "./fair.ts";

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
  /** Estimated tokens of its next call, where tokens a minute are limited. */
  readonly nextTokens?: number;
  readonly inFlight: number;
  /** Calls it lets out at a time: its part, less what a burst of 429 cut. */
  readonly width: number;
  /** When it last said so, ms of its own clock: others look only whether it changes. */
  readonly at: number;
  /** It takes no part any more; its calls of the last minute still count. */
  readonly left?: boolean;
}

/** Prefix of the records, one a provider. */
export const ceilingPrefix = "ceiling/";

/** By process; the value of one record a provider. */
export type Holders = Readonly<Record<string, Holder>>;

export interface Situation {
  readonly ceiling: Amounts;
  readonly demand: number;
  readonly nextTokens?: number;
  readonly width: number;
  /** In flight now, and what the last minute's calls used. */
  readonly used: { readonly calls: number; readonly requests: number; readonly tokens: number };
  readonly now: number;
  /** For how long this process has seen no sign of another, ms. */
  readonly silence: (id: string) => number;
}

/** A process that gives no sign for so long is dead. */
export const leaseMs = 10_000;
const minuteMs = 60_000;
/** Whom an uneven division favours changes after this long. */
const turnMs = 10_000;
/** Whose calls come first, where parts are too small for one, changes after this long: first the last minute of all others must end. */
const dealMs = 75_000;

/**
 * What the record should say after `me` has looked at it, and what `me` may use from then on. A process raises its part only by what nobody holds, and
 * gives up what it has in use only once that has ended: at every moment the parts add up to the limits at most. (One that stands still for longer than
 * its lease with calls in flight is taken for dead, and these calls come on top.)
 */
export function rebalance(
  holders: Holders,
  me: string,
  { ceiling, demand, nextTokens = 0, width, used, now, silence }: Situation,
): { holders: Holders; mine: Amounts } {
  const others = Object.fromEntries(
    Object.entries(holders).flatMap(([id, holder]) => {
      const rest = id === me ? null : remaining(holder, silence(id));
      return rest === null ? [] : [[id, rest] as const];
    }),
  );
  const sharing = Object.entries(others).filter(([id, { left }]) => left !== true && silence(id) <= leaseMs);
  const demands = new Map([...sharing.map(([id, holder]) => [id, holder.demand] as const), [me, demand]]);
  const byDemand = (limit: number) => fairShares(demands, limit, Math.floor(now / turnMs));
  const byCall = (limit: number) => {
    const calls = new Map([...sharing.map(([id, holder]) => [id, holder.nextTokens ?? 0] as const), [me, nextTokens]]);
    return tokenShares(demands, calls, limit, Math.floor(now / dealMs));
  };
  const part = (limit: number, of: (amounts: Amounts) => number, shares = byDemand(limit)) => {
    const target = shares.get(me) ?? 0;
    const free = limit - Object.values(others).reduce((sum, { held }) => sum + of(held), 0);
    return Math.max(0, Math.min(target, free));
  };
  const { requestsPerMinute, tokensPerMinute } = ceiling;
  const mine: Amounts = {
    calls: part(ceiling.calls, ({ calls }) => calls),
    requestsPerMinute: requestsPerMinute === null ? null : part(requestsPerMinute, (held) => held.requestsPerMinute ?? 0),
    tokensPerMinute:
      tokensPerMinute === null ? null : part(tokensPerMinute, (held) => held.tokensPerMinute ?? 0, byCall(tokensPerMinute)),
  };
  const held = {
    calls: Math.max(mine.calls, used.calls),
    requestsPerMinute: mine.requestsPerMinute === null ? null : Math.max(mine.requestsPerMinute, used.requests),
    tokensPerMinute: mine.tokensPerMinute === null ? null : Math.max(mine.tokensPerMinute, used.tokens),
  };
  const said = { held, demand, ...(tokensPerMinute === null ? {} : { nextTokens }), inFlight: used.calls, width, at: now };
  return { holders: { ...others, [me]: said }, mine };
}

/** What the record should say once `me` is gone: nothing, or for a minute what its last calls used of the limits. */
export function afterLeaving(
  holders: Holders,
  me: string,
  { ceiling, used, now }: Pick<Situation, "ceiling" | "used" | "now">,
): Holders {
  const { [me]: mine, ...others } = holders;
  if (mine === undefined || (ceiling.requestsPerMinute === null && ceiling.tokensPerMinute === null)) return others;
  const held = {
    calls: 0,
    requestsPerMinute: ceiling.requestsPerMinute === null ? null : used.requests,
    tokensPerMinute: ceiling.tokensPerMinute === null ? null : used.tokens,
  };
  return { ...others, [me]: { held, demand: 0, inFlight: 0, width: 0, at: now, left: true } };
}

/** How a provider is used now, over all processes that live by the wall clock. */
export function usageNow(
  holders: Holders,
  now: number,
): { readonly workers: number; readonly inFlight: number; readonly width: number } {
  const live = Object.values(holders).filter(({ at, left }) => left !== true && now - at <= leaseMs);
  const sum = (of: (holder: Holder) => number) => live.reduce((total, holder) => total + of(holder), 0);
  return { workers: live.length, inFlight: sum(({ inFlight }) => inFlight), width: sum(({ width }) => width) };
}

/** What still counts of another's part: all of it while it lives, its calls of the last minute for a minute more, then nothing. */
function remaining(holder: Holder, silent: number): Holder | null {
  if (silent <= leaseMs) return holder;
  return silent <= leaseMs + minuteMs ? { ...holder, demand: 0, inFlight: 0, held: { ...holder.held, calls: 0 } } : null;
}
