import { fnv1a } from "../../../domain/hash.ts";

/**
 * Divides `total` whole units by demand (max-min fair): nobody gets more than it wants while another wants more; what nobody wants is spread evenly.
 * The parts add up to `total`. Who gets what is left of an uneven division goes by `turn`, so that no one goes without for ever.
 */
export function fairShares(demands: ReadonlyMap<string, number>, total: number, turn = 0): Map<string, number> {
  const order = (id: string) => fnv1a(`${turn}/${id}`);
  const wanted = (id: string) => Math.max(1, demands.get(id) ?? 0);
  const ids = [...demands.keys()].toSorted((a, b) => wanted(a) - wanted(b) || order(a) - order(b) || (a < b ? -1 : 1));
  const shares = new Map<string, number>();
  let left = total;
  for (const [i, id] of ids.entries()) {
    const share = Math.min(wanted(id), Math.floor(left / (ids.length - i)));
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

/**
 * Divides `total` tokens a minute by demand too, unless somebody's next call is larger than its part. Then whole calls are dealt, as many as fit, with
 * another one first each `turn`, and what is left goes by demand to those who got theirs; the others get nothing. `calls`: tokens of the next calls,
 * which count as no more than the total.
 */
export function tokenShares(
  demands: ReadonlyMap<string, number>,
  calls: ReadonlyMap<string, number>,
  total: number,
  turn: number,
): Map<string, number> {
  const needed = (id: string) => Math.min(total, calls.get(id) ?? 0);
  const even = fairShares(demands, total, turn);
  if ([...even].every(([id, share]) => needed(id) <= share)) return even;
  const ids = [...demands.keys()].toSorted();
  const first = turn % ids.length;
  const dealt = new Map<string, number>();
  let left = total;
  for (const id of [...ids.slice(first), ...ids.slice(0, first)]) {
    if (needed(id) > left) continue;
    dealt.set(id, needed(id));
    left -= needed(id);
  }
  const rest = fairShares(new Map([...demands].filter(([id]) => dealt.has(id))), left, turn);
  return new Map(ids.map((id) => [id, (dealt.get(id) ?? 0) + (rest.get(id) ?? 0)]));
}
