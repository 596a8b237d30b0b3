const stopWords = new Set(
  (
    "a an the and or but if then so of to in on at for with about from by as is are was were be been being am it its this that these those there here " +
    "i me my mine you your yours we our us they them their he she his her do does did done have has had having can could will would shall should may might must " +
    "not no nor just very too also than into out up down over under again more most some any each all what which who whom whose when where why how let lets " +
    "i'm you're it's that's don't i'll i've you've can't isn't there's what's let's we'll we're"
  ).split(" "),
);

/** Lower-cased words of a text, apostrophes kept, slots and punctuation dropped. */
export function words(text: string): string[] {
  return (
    text
      .replace(/\{[a-z]+\}/g, " ")
      .replaceAll("’", "'")
      .toLowerCase()
      .match(/[a-z][a-z']*/g) ?? []
  );
}

/** The distinct words that carry meaning. */
export function contentWords(text: string): Set<string> {
  return new Set(words(text).filter((word) => !stopWords.has(word)));
}

/** Words of a text as a person counts them. */
export function wordCount(text: string): number {
  return text.split(/\s+/).filter((part) => part !== "").length;
}

/** The value behind a line head such as `Situation: `, or undefined. */
export function lineValue(text: string, head: string): string | undefined {
  const start = text.startsWith(`${head}: `) ? 0 : text.indexOf(`\n${head}: `) + 1;
  if (start === 0 && !text.startsWith(`${head}: `)) return undefined;
  const end = text.indexOf("\n", start);
  return text.slice(start + head.length + 2, end < 0 ? undefined : end).trim();
}

/** Word pieces by a declared estimate: one for each eight letters begun, one for each mark. Usage counts are made of it. */
export function wordPieces(text: string): string[] {
  return text.match(/\s*(?:[\p{L}\p{N}']{1,8}|[^\s\p{L}\p{N}'])/gu) ?? [];
}
