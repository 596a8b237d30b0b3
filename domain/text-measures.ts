const apostrophes = /[’‘]/g;

/** Lower-case words of a text; punctuation is dropped. */
export function words(text: string): string[] {
  return (
    text
      .toLowerCase()
      .replace(apostrophes, "'")
      .match(/[\p{L}\p{N}']+/gu) ?? []
  );
}

/** Sentences as word strings, so that punctuation and case do not hide a copy; under four words they are everybody's. */
function sentences(text: string): string[] {
  return text
    .split(/[.!?\n]+/)
    .map((part) => words(part))
    .filter((part) => part.length >= 4)
    .map((part) => part.join(" "));
}

/** Share of the sentences of given replies that stand word for word in the training texts; null where a reply has none. */
export function copiedShare(training: readonly string[]): (replies: readonly string[]) => number | null {
  const known = new Set(training.flatMap(sentences));
  return (replies) => {
    const said = replies.flatMap(sentences);
    return said.length === 0 ? null : said.filter((s) => known.has(s)).length / said.length;
  };
}

/** Distinct word pairs over all word pairs (distinct-2, Li et al. 2016); null of no pair. */
export function distinctPairs(texts: readonly string[]): number | null {
  const pairs = texts.flatMap((text) => {
    const w = words(text);
    return w.slice(1).map((word, i) => `${w[i]} ${word}`);
  });
  return pairs.length === 0 ? null : new Set(pairs).size / pairs.length;
}
