/**
 * What the calls of this process tell about one model of one provider: whether a call that keeps failing fails by its own fault, or because the model
 * answers nobody. It is its own where others were answered meanwhile and no outage is likely. Times are ms of the caller's clock.
 */
export interface Witness {
  /** A call that was sent at `sentAt` was answered. */
  answered(key: string, sentAt: number, now: number): void;
  failed(key: string, now: number): void;
  /** It ended in another way: it fails no more. */
  ended(key: string): void;
  readonly answeredAt: number;
  /** Nobody was answered after `begun`, and calls other than `key` have begun to fail since the last one that was answered was sent. */
  isOutageLikely(key: string, begun: number): boolean;
  /**
   * Whether a call was answered that was sent after `key` had failed, at `firstAt` first: one that was sent before tells nothing. Failures in an outage
   * that has ended don't count.
   */
  answeredOthersThan(key: string, firstAt: number): boolean;
}

/** A call that has not failed for so long is taken to have ended or to be tried elsewhere: longer than any Retry-After. */
const forgetMs = 15 * 60_000;

export function witness(): Witness {
  /** `since`: first failure after the last outage. */
  const failing = new Map<string, { readonly since: number | null; readonly last: number }>();
  let answeredAt = Number.NEGATIVE_INFINITY;
  /** When the last of the answered calls was sent. */
  let lastSent = Number.NEGATIVE_INFINITY;
  let outageUntil = Number.NEGATIVE_INFINITY;

  const endOutage = (now: number) => {
    outageUntil = now;
    for (const [key, { last }] of failing) failing.set(key, { since: null, last });
  };
  const failsOthers = (key: string) =>
    [...failing].some(([other, { since }]) => other !== key && since !== null && since >= lastSent);

  return {
    answered: (key, sentAt, now) => {
      // Where several began to fail and nothing was answered between that and the sending of this call, none of them failed by itself.
      const inSilence = [...failing.values()].filter(({ since }) => since !== null && since >= answeredAt && since < sentAt);
      if (inSilence.length > 1) endOutage(now);
      failing.delete(key);
      answeredAt = now;
      lastSent = Math.max(lastSent, sentAt);
    },
    failed: (key, now) => {
      for (const [other, { last }] of failing) if (now - last > forgetMs) failing.delete(other);
      failing.set(key, { since: failing.get(key)?.since ?? now, last: now });
    },
    ended: (key) => void failing.delete(key),
    get answeredAt() {
      return answeredAt;
    },
    isOutageLikely: (key, begun) => answeredAt <= begun && failsOthers(key),
    answeredOthersThan: (key, firstAt) => {
      const since = firstAt > outageUntil ? firstAt : failing.get(key)?.since;
      return since !== null && since !== undefined && since < lastSent;
    },
  };
}
