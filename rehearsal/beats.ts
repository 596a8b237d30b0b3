import type { ContextId, Corpus, Family } from "./corpus.ts";
import { contentWords } from "./text.ts";

/** Where in the corpus a user's message comes from. */
export interface Beat {
  readonly context: ContextId;
  /** Absent for a closing remark, which fits any family of its context. */
  readonly family?: Family;
  readonly help: readonly string[];
}

/** Finds the beat nearest to a message by shared content words, rare ones counting more; undefined for foreign text. */
export function beatIndex(corpus: Corpus): (message: string) => Beat | undefined {
  const beats: { readonly beat: Beat; readonly words: Set<string> }[] = [];
  const add = (beat: Beat, phrasing: string) => beats.push({ beat, words: contentWords(phrasing) });
  for (const family of corpus.families) {
    family.user.forEach((phrasings, at) => {
      const beat = { context: family.context, family, help: family.help[at] ?? [] };
      for (const phrasing of phrasings) add(beat, phrasing);
    });
  }
  for (const context of Object.keys(corpus.voices.closings) as ContextId[]) {
    for (const closing of corpus.voices.closings[context]) add({ context, help: [closing.help] }, closing.user);
  }
  const byWord = new Map<string, number[]>();
  beats.forEach(({ words }, at) => {
    for (const word of words) {
      const list = byWord.get(word);
      if (list === undefined) byWord.set(word, [at]);
      else list.push(at);
    }
  });
  const weight = (word: string) => Math.log(1 + beats.length / (byWord.get(word)?.length ?? 1));
  const mass = beats.map(({ words }) => [...words].reduce((sum, word) => sum + weight(word), 0));

  return (message) => {
    const scores = new Map<number, number>();
    for (const word of contentWords(message)) {
      for (const at of byWord.get(word) ?? []) scores.set(at, (scores.get(at) ?? 0) + weight(word));
    }
    let best: number | undefined;
    let bestShare = 0.4;
    for (const [at, score] of scores) {
      const share = score / (mass[at] ?? 1);
      if (share > bestShare) [best, bestShare] = [at, share];
    }
    return best === undefined ? undefined : beats[best]?.beat;
  };
}
