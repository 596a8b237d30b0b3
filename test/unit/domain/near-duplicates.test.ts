import { expect, test } from "vitest";
import { nearDuplicates } from "../../../domain/near-duplicates.ts";
import { random } from "../../../domain/random.ts";

/** Indexes of the texts that are kept, in order. */
async function kept(texts: readonly string[], similarity = 0.8): Promise<number[]> {
  const look = nearDuplicates(async (i) => texts[i] ?? "", { count: texts.length, similarity });
  const places: number[] = [];
  for (const [i, text] of texts.entries()) if ((await look(i, text)) === null) places.push(i);
  return places;
}

const dice = random(3, "near-duplicates");
const written = (words: number) => Array.from({ length: words }, () => `w${dice.below(3000)}`);
/** The text with some words replaced, so that each takes five shingles with it. */
const edited = (text: readonly string[], edits: number) => {
  const places = dice.shuffled(text.map((_, i) => i)).slice(0, edits);
  return text.map((word, i) => (places.includes(i) ? `e${dice.below(1e6)}` : word));
};

test("a text that nearly equals an earlier one is told with its place and how near it is; others are not", async () => {
  const text = written(200).join(" ");
  const texts = [text, `${text} Bye then.`, written(200).join(" ")];
  const look = nearDuplicates(async (i) => texts[i] ?? "", { count: 3, similarity: 0.8 });
  const found = [];
  for (const [i, one] of texts.entries()) found.push(await look(i, one));
  expect(found).toEqual([null, { of: 0, similarity: 196 / 198 }, null]);
});

test("case and punctuation hide no copy, word order does make another text", async () => {
  expect(await kept(["They moved me to nights, again and again!", "they moved me — to nights; again and AGAIN"])).toEqual([0]);
  expect(await kept(["they moved me to nights again and again", "again and again they moved me to nights"])).toEqual([0, 1]);
  expect(await kept(["Sit down.", "sit down", "Sit", "", " "])).toEqual([0, 2, 3]);
});

test("the first of a kind is kept, and the copy of a copy is judged by what is kept", async () => {
  const first = written(300);
  const second = edited(first, 5);
  const third = edited(second, 5);
  expect(await kept([first, second, third, first].map((text) => text.join(" ")))).toEqual([0, 2]);
});

test.each([0.6, 0.8, 0.95])(
  "at a threshold of %f nearly all copies above it are found and nothing below it",
  async (threshold) => {
    const texts: string[] = [];
    const copies: number[] = [];
    for (let i = 0; i < 300; i += 1) {
      const text = written(120);
      texts.push(text.join(" "), edited(text, i % 8).join(" "));
    }
    const shingles = (text: string) => {
      const words = text.split(" ");
      return new Set(words.slice(4).map((_, i) => words.slice(i, i + 5).join(" ")));
    };
    for (let i = 1; i < texts.length; i += 2) {
      const [a, b] = [shingles(texts[i - 1] ?? ""), shingles(texts[i] ?? "")];
      const common = [...a].filter((one) => b.has(one)).length;
      if (common / (a.size + b.size - common) >= threshold) copies.push(i);
    }
    const stay = new Set(await kept(texts, threshold));
    const dropped = [...texts.keys()].filter((i) => !stay.has(i));
    expect(dropped.filter((i) => !copies.includes(i))).toEqual([]);
    expect(dropped.length).toBeGreaterThan(copies.length * 0.98);
    expect(copies.length).toBeGreaterThan(30);
  },
);

const template = written(60);
test.each([
  { what: "equal", make: () => template },
  { what: "templated", make: () => [...template, ...written(40)] },
])(
  "work grows with the texts, not with their pairs: of thousands of $what ones each is compared with a few",
  async ({ make }) => {
    const texts = Array.from({ length: 3000 }, () => make().join(" "));
    let read = 0;
    const look = nearDuplicates(
      async (i) => {
        read += 1;
        return texts[i] ?? "";
      },
      // Nothing is held, so that every comparison reads.
      { count: texts.length, similarity: 0.8, mostHeld: 0 },
    );
    for (const [i, text] of texts.entries()) await look(i, text);
    expect(read).toBeLessThan(2 * texts.length);
  },
);

test("what is compared again and again is not read again", async () => {
  // A third of the shingles differs: near enough to be compared, too far to be a copy.
  const texts = Array.from({ length: 300 }, () => [...template, ...template.slice(0, 50), ...written(14)].join(" "));
  const reads = async (mostHeld?: number) => {
    let read = 0;
    const look = nearDuplicates(
      async (i) => {
        read += 1;
        return texts[i] ?? "";
      },
      { count: texts.length, similarity: 0.8, ...(mostHeld === undefined ? {} : { mostHeld }) },
    );
    for (const [i, text] of texts.entries()) expect(await look(i, text)).toBeNull();
    return read;
  };
  expect(await reads(0)).toBeGreaterThan(10 * texts.length);
  expect(await reads()).toBe(0);
});

test("what is not held any more is read again, with the same findings", async () => {
  const texts = Array.from({ length: 40 }, () => written(500).join(" "));
  const read: number[] = [];
  const look = nearDuplicates(
    async (i) => {
      read.push(i);
      return texts[i] ?? "";
    },
    { count: texts.length + 2, similarity: 0.8, mostHeld: 10_000 },
  );
  for (const [i, text] of texts.entries()) expect(await look(i, text)).toBeNull();
  expect(await look(texts.length, texts[0] ?? "")).toEqual({ of: 0, similarity: 1 });
  expect(await look(texts.length + 1, texts[39] ?? "")).toEqual({ of: 39, similarity: 1 });
  expect(read).toEqual([0]);
});
