import type { Beat } from "../beats.ts";
import { contextIds, contextTitles, type ContextId, type Corpus, type Level } from "../corpus.ts";
import { pick, seeded } from "../random.ts";
import type { ChatRequest } from "../request.ts";
import { lineValue, wordCount } from "../text.ts";

/** A reply stays under this many words, so that a student's 40 new tokens can hold one like it. */
const maxWords = 32;

/** Fills {topic}; {name} is left out with its commas, since an assistant is told no names. */
export function fillReply(text: string, topic: string): string {
  const filled = text
    .replace(/^\{name\}, /, "")
    .replace(/, \{name\}(?=[,.;:!?])/g, "")
    .replaceAll(" {name}", "")
    .replaceAll("{topic}", topic);
  return filled.charAt(0).toUpperCase() + filled.slice(1);
}

function contextOf(title: string | undefined): ContextId {
  return contextIds.find((id) => contextTitles[id] === title || id === title?.toLowerCase()) ?? "career";
}

/** The level or, half way between two, both. */
function levelsFor(desired: number): readonly [Level, Level] {
  const exact = 1 + 4 * Math.min(1, Math.max(0, desired));
  const fraction = exact - Math.floor(exact);
  const nearest = Math.round(exact) as Level;
  if (fraction <= 0.35 || fraction >= 0.65) return [nearest, nearest];
  return [Math.floor(exact) as Level, Math.ceil(exact) as Level];
}

/** Plays the teacher as assistant: sentences of the asked level beside neutral help for what the user just said. */
export function assistantRole(corpus: Corpus, find: (message: string) => Beat | undefined) {
  return ({ messages, seed }: ChatRequest): string => {
    const system = messages[0]?.content ?? "";
    const said = messages.filter((message) => message.role === "user").map((message) => message.content);
    const history = messages.filter((message) => message.role === "assistant").map((message) => message.content);
    const last = said.at(-1) ?? "";
    const next = seeded(seed, "assistant", system, last, history.length);
    const beat = find(last);
    const family = beat?.family ?? said.map((message) => find(message)?.family).findLast((found) => found !== undefined);
    const context = beat?.context ?? family?.context ?? contextOf(lineValue(system, "Kind of conversation"));
    const [low, high] = levelsFor(Number.parseFloat(lineValue(system, "Desired empathy level") ?? "0.2"));

    const before = history.join(" ");
    const used: string[] = [];
    const draw = (level: Level): string => {
      const pool = corpus.replies[context].pairs[level]
        .filter((reply) => family !== undefined || !reply.text.includes("{topic}"))
        .map((reply) => fillReply(reply.text, family?.topic ?? ""))
        .filter((text) => !used.includes(text));
      const fresh = pool.filter((text) => !before.includes(text));
      const text = pick(fresh.length > 0 ? fresh : pool, next);
      used.push(text);
      return text;
    };
    const first = draw(low);
    const help = beat === undefined || beat.help.length === 0 ? undefined : pick(beat.help, next);
    if (help === undefined) return `${first} ${draw(high)}`;
    const room = maxWords - wordCount(first) - wordCount(help);
    if (low !== high || (low >= 3 && next() < 0.3)) {
      const second = draw(high);
      if (wordCount(second) <= room) return `${first} ${second} ${help}`;
    }
    return next() < 0.12 ? `${help} ${first}` : `${first} ${help}`;
  };
}
