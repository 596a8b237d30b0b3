import { contentWords, wordCount, words } from "../text.ts";
import type { Rules } from "./rules.ts";

/** What the judge reads: the user's messages so far, and the reply. */
export interface Exchange {
  readonly said: readonly string[];
  readonly reply: string;
}

function runsOfFour(text: string): string[] {
  const list = words(text);
  return list.slice(3).map((_, at) => list.slice(at, at + 4).join(" "));
}

/** Share of a reply's runs of four words that occurred in it before. */
function repeatedShare(reply: string): number {
  const runs = runsOfFour(reply);
  return runs.length === 0 ? 0 : 1 - new Set(runs).size / runs.length;
}

/** Share of a reply's runs of four words that are the user's own. */
function echoedShare(reply: string, said: string): number {
  const source = new Set(runsOfFour(said));
  const runs = runsOfFour(reply);
  return runs.length === 0 ? 0 : runs.filter((run) => source.has(run)).length / runs.length;
}

/** Share of a reply that comes from nowhere: names the conversation does not hold, marks and letters that talk has no use for; full at two. */
function intrusions(reply: string, said: string): number {
  const names = [...reply.matchAll(/(?<=[a-z,] )[A-Z][a-z]+/g)].filter(([name]) => !said.includes(name));
  const marks = reply.match(/["“*#:\d_[\]{}<>]|[^\p{ASCII}’–—…]|\n/gu) ?? [];
  return Math.min(1, (names.length + Math.min(3, marks.length)) / 2);
}

const attention = ["acknowledge", "considerate", "reflect", "interest", "offer", "permission", "relation", "effusive"];

/** Features of a reply, each 0–1; the names are those of rules.yaml. */
export function features({ said, reply }: Exchange, rules: Rules): Readonly<Record<string, number>> {
  const text = reply.replaceAll("’", "'").toLowerCase();
  const found: Record<string, number> = {};
  for (const [name, { cap, pattern }] of Object.entries(rules.lexicons)) {
    found[name] = Math.min(1, new Set(text.match(pattern) ?? []).size / cap);
  }
  // A feeling that is named in order to be waved away was not taken up.
  if ((found["brushoff"] ?? 0) > 0) found["feeling"] = 0.3 * (found["feeling"] ?? 0);
  const own = contentWords(reply);
  const shared = (source: ReadonlySet<string>) => [...own].filter((word) => source.has(word)).length;
  const attends = attention.some((name) => (found[name] ?? 0) > 0);
  return {
    ...found,
    to_you: /\b(?:you|your|you're|you've|you'd|yourself)\b/.test(text) ? 1 : 0,
    from_i: /\b(?:i|i'm|i've|i'd|i'll|me|my|we|we'll|us|let's)\b/.test(text) ? 1 : 0,
    intrusion: intrusions(reply, said.join(" ")),
    exclaim: reply.includes("!") ? 1 : 0,
    asks_you: /\byou[^.!?]*\?|\byour[^.!?]*\?/.test(text) ? 1 : 0,
    foreign: !attends && own.size >= 5 && shared(contentWords(said.join(" "))) === 0 ? 1 : 0,
    list: /(?:^|\n)\s*(?:[-*•]|\d+[.)])\s/.test(reply) ? 1 : 0,
    loop: Math.min(1, repeatedShare(reply) / 0.25),
    echo: Math.min(1, Math.max(0, echoedShare(reply, said.join(" ")) - 0.3) / 0.3),
    short: wordCount(reply) < 4 ? 1 : 0,
  };
}
