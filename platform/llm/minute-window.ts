/** A call that counts against the per-minute limits. */
interface Counted {
  readonly at: number;
  tokens: number;
  /** False once its minute is over. */
  inside: boolean;
}

/** A process's part of a provider's limits. */
export interface MinuteLimits {
  readonly requestsPerMinute?: number | undefined;
  readonly tokensPerMinute?: number | undefined;
  /** The whole of it, where `tokensPerMinute` is a part: a call that is larger fits where the part is the whole and the minute empty. */
  readonly allTokensPerMinute?: number | undefined;
}

export interface MinuteWindow {
  /** Milliseconds until a call of `tokens` may fit the limits; 0 when it fits now, Infinity when it fits none but other limits. */
  wait(now: number, tokens: number, limits: MinuteLimits): number;
  add(now: number, tokens: number): Counted;
  /** Puts what a call really used in place of its estimate. */
  correct(call: Counted, tokens: number): void;
  used(now: number): { readonly requests: number; readonly tokens: number };
}

const minuteMs = 60_000;

/** The calls begun in the last minute, and their tokens. */
export function minuteWindow(): MinuteWindow {
  let calls: Counted[] = [];
  let gone = 0;
  let tokensInside = 0;

  const expire = (now: number): void => {
    for (let oldest = calls[gone]; oldest !== undefined && oldest.at <= now - minuteMs; oldest = calls[gone]) {
      tokensInside -= oldest.tokens;
      oldest.inside = false;
      gone += 1;
    }
    // Dropping one by one would shift the whole list each time.
    if (gone > 1024 && gone * 2 > calls.length) {
      calls = calls.slice(gone);
      gone = 0;
    }
  };

  return {
    wait: (now, tokens, { requestsPerMinute = Infinity, tokensPerMinute = Infinity, allTokensPerMinute = tokensPerMinute }) => {
      expire(now);
      const counted = Math.min(tokens, allTokensPerMinute);
      if (calls.length - gone < requestsPerMinute && tokensInside + counted <= tokensPerMinute) return 0;
      return (calls[gone]?.at ?? Infinity) + minuteMs - now;
    },
    add: (now, tokens) => {
      expire(now);
      const call = { at: now, tokens, inside: true };
      calls.push(call);
      tokensInside += tokens;
      return call;
    },
    correct: (call, tokens) => {
      if (call.inside) tokensInside += tokens - call.tokens;
      call.tokens = tokens;
    },
    used: (now) => {
      expire(now);
      return { requests: calls.length - gone, tokens: tokensInside };
    },
  };
}
