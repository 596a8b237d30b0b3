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
