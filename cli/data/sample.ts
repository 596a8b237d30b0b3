import { random } from "../../domain/random.ts";

/** `size` of the items, each with the same chance, in their order and in one pass (Vitter's reservoir, algorithm R). The same seed draws the same. */
export async function sample<T>(items: AsyncIterable<T>, size: number, seed: number): Promise<readonly T[]> {
  const dice = random(seed, "sample");
  const kept: { at: number; item: T }[] = [];
  let at = 0;
  for await (const item of items) {
    const place = at < size ? at : dice.below(at + 1);
    if (place < size) kept[place] = { at, item };
    at += 1;
  }
  return kept.toSorted((a, b) => a.at - b.at).map(({ item }) => item);
}
