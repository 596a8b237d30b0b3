import { fnv1a } from "./hash.ts";
import { words } from "./text-measures.ts";

/** Words of a shingle, as usual for near copies of prose (Lee et al. 2022); a text with fewer words is one shingle. */
const shingleWords = 5;
/** Least hashes of a signature (Broder 1997): 126 is 21 bands of 6 rows. */
const hashes = 126;
/** A bucket's newest entries that a text is compared with, so that texts which all share a template do not take quadratic time. */
const mostCompared = 64;
/** How far below the threshold an estimate from signatures may lie before the texts themselves are compared: three standard errors and more. */
const slack = 0.14;

/** 16 MB. */
const heldShingles = 4_000_000;

/** The text that an earlier, kept one nearly equals, by its index. */
export interface NearDuplicate {
  readonly of: number;
  /** Jaccard index of the two sets of word 5-shingles, 0–1. */
  readonly similarity: number;
}

/**
 * Tells one text after another whether it nearly equals one that was kept before; the first of a kind is kept. Candidates come from MinHash
 * signatures in bands, and the shingles themselves decide, so that nothing is dropped on an estimate. A pair at the threshold is overlooked about
 * once in 600 at 0.8. Takes time linear in the texts, about 800 bytes for each however long they are, and at most `mostHeld` numbers for those
 * last compared.
 * @param earlier reads a text again by its index, which is below `count`: none is held here
 */
export function nearDuplicates(
  earlier: (index: number) => Promise<string>,
  {
    count,
    similarity,
    mostHeld = heldShingles,
  }: { readonly count: number; readonly similarity: number; readonly mostHeld?: number },
): (index: number, text: string) => Promise<NearDuplicate | null> {
  const rows = rowsOfBand(similarity);
  const bands = Math.floor(hashes / rows);
  const slots = 2 ** Math.ceil(Math.log2(2 * Math.max(count, 8)));
  // Chains of kept texts by band and slot: 0 ends one, so indexes are stored plus one.
  const heads = Array.from({ length: bands }, () => new Int32Array(slots));
  const links = Array.from({ length: bands }, () => new Int32Array(count));
  const signatures = new Uint32Array(count * hashes);
  const signatureOf = (index: number) => signatures.subarray(index * hashes, (index + 1) * hashes);

  // Texts made from one template are compared again and again: the shingles of the last ones are held.
  const held = new Map<number, Uint32Array>();
  let size = 0;
  const hold = (index: number, shingles: Uint32Array) => {
    size -= held.get(index)?.length ?? 0;
    held.delete(index);
    held.set(index, shingles);
    size += shingles.length;
    for (const [oldest, { length }] of held) {
      if (size <= mostHeld) break;
      held.delete(oldest);
      size -= length;
    }
  };
  const shinglesAt = async (index: number) => {
    const there = held.get(index);
    if (there !== undefined) return there;
    const shingles = shinglesOf(await earlier(index));
    hold(index, shingles);
    return shingles;
  };

  return async (index, text) => {
    const shingles = shinglesOf(text);
    const own = signatureOf(index);
    sign(shingles, own);
    const seen = new Set<number>();
    const slotOf = (band: number) => hashOfBand(own, band * rows, rows) & (slots - 1);
    let found: NearDuplicate | null = null;
    for (let band = 0; band < bands; band += 1) {
      let at = heads[band]?.[slotOf(band)] ?? 0;
      for (let compared = 0; at > 0 && compared < mostCompared; compared += 1, at = links[band]?.[at - 1] ?? 0) {
        const other = at - 1;
        if (seen.has(other)) continue;
        seen.add(other);
        if (agreement(own, signatureOf(other)) < similarity - slack) continue;
        const exact = jaccard(shingles, await shinglesAt(other));
        // The earliest is named, whichever band met it first.
        if (exact >= similarity && (found === null || other < found.of)) found = { of: other, similarity: exact };
      }
    }
    if (found !== null) return found;
    hold(index, shingles);
    for (let band = 0; band < bands; band += 1) {
      const [head, link] = [heads[band], links[band]];
      if (head === undefined || link === undefined) continue;
      const slot = slotOf(band);
      link[index] = head[slot] ?? 0;
      head[slot] = index + 1;
    }
    return null;
  };
}

/** The most rows a band may have, up to 6, for a pair at the threshold to be met in 99 of 100 cases: more rows, fewer needless candidates. */
function rowsOfBand(similarity: number): number {
  for (let rows = 6; rows > 1; rows -= 1) if ((1 - similarity ** rows) ** Math.floor(hashes / rows) < 0.01) return rows;
  return 1;
}

/** Hashes of the distinct word 5-shingles of a text, in ascending order. */
function shinglesOf(text: string): Uint32Array {
  const all = words(text);
  const last = Math.max(0, all.length - shingleWords);
  const hashed = Uint32Array.from({ length: last + 1 }, (_, i) => fnv1a(all.slice(i, i + shingleWords).join(" ")));
  return hashed.toSorted().filter((hash, i, sorted) => hash !== sorted[i - 1]);
}

function sign(shingles: Uint32Array, into: Uint32Array): void {
  into.fill(0xffffffff);
  for (const shingle of shingles) {
    for (let i = 0; i < hashes; i += 1) {
      const value = mixed(shingle ^ Math.imul(i + 1, 0x9e3779b9));
      if (value < (into[i] ?? 0)) into[i] = value;
    }
  }
}

/** Murmur3's finaliser: every bit of the input moves every bit of the output. */
function mixed(value: number): number {
  let h = value ^ (value >>> 16);
  h = Math.imul(h, 0x85ebca6b);
  h = Math.imul(h ^ (h >>> 13), 0xc2b2ae35);
  return (h ^ (h >>> 16)) >>> 0;
}

function hashOfBand(signature: Uint32Array, from: number, rows: number): number {
  let h = from;
  for (let i = from; i < from + rows; i += 1) h = mixed(Math.imul(h, 31) ^ (signature[i] ?? 0));
  return h;
}

/** Share of equal places: an estimate of the Jaccard index. */
function agreement(a: Uint32Array, b: Uint32Array): number {
  let same = 0;
  for (let i = 0; i < hashes; i += 1) if (a[i] === b[i]) same += 1;
  return same / hashes;
}

function jaccard(a: Uint32Array, b: Uint32Array): number {
  let common = 0;
  for (let i = 0, j = 0; i < a.length && j < b.length;) {
    const [x, y] = [a[i] ?? 0, b[j] ?? 0];
    if (x === y) common += 1;
    if (x <= y) i += 1;
    if (y <= x) j += 1;
  }
  return common / (a.length + b.length - common);
}
