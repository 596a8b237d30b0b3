import type { Corpus, Family } from "../corpus.ts";
import { pick, seeded } from "../random.ts";
import type { ChatRequest } from "../request.ts";
import { contentWords, lineValue, words } from "../text.ts";

/** First words that may lose their capital behind a starter; any other could be a name. */
const lowerable = new Set(
  (
    "a after all an another apparently as at because before both each even every everybody everyone everything for from half her his how if in instead it it's its " +
    "lately most my nearly nobody none nothing on once one only our part people right she since some somebody someone something sometimes that that's the their then there " +
    "there's these they they're they've this three today tonight two until we we've we're what whatever when whenever where whether which while without yesterday you"
  ).split(" "),
);

function withStarter(starter: string, phrasing: string): string | undefined {
  const first = words(phrasing)[0] ?? "";
  if (/^(i|i'm|i've|i'd|i'll)$/.test(first)) return `${starter} ${phrasing}`;
  return lowerable.has(first) ? `${starter} ${phrasing.charAt(0).toLowerCase()}${phrasing.slice(1)}` : undefined;
}

/** The family with this situation, or the one whose words come nearest to a situation that someone else wrote. */
function familyFor(families: readonly Family[], bySituation: ReadonlyMap<string, Family>, situation: string): Family {
  const exact = bySituation.get(situation);
  if (exact !== undefined) return exact;
  const wanted = contentWords(situation);
  const overlap = (family: Family) => [...contentWords(family.situation)].filter((word) => wanted.has(word)).length;
  const [first, ...rest] = families.filter((family) => family.part === "pairs");
  if (first === undefined) throw new Error("The corpus has no families");
  return rest.reduce((best, family) => (overlap(family) > overlap(best) ? family : best), first);
}

/** Plays the person described: the family's beats one by one, then small facts, each in a wording drawn by the seed. */
export function simulatedUserRole(corpus: Corpus) {
  const bySituation = new Map(corpus.families.map((family) => [family.situation, family]));
  return ({ messages, seed }: ChatRequest): string => {
    const system = messages[0]?.content ?? "";
    const own = messages.filter((message) => message.role === "assistant").map((message) => message.content);
    const name = lineValue(system, "Name") ?? "";
    const family = familyFor(corpus.families, bySituation, lineValue(system, "Situation") ?? "");
    const next = seeded(seed, "user", name, family.id, own.length);

    const person = seeded("slots", name, family.id);
    const other = pick(
      corpus.voices.others.filter((candidate) => candidate !== name),
      person,
    );
    const time = pick(corpus.voices.times, person);
    const fill = (text: string) => text.replaceAll("{name}", name).replaceAll("{other}", other).replaceAll("{time}", time);

    const beats = family.user.length;
    const closings = corpus.voices.closings[family.context].map((closing) => closing.user);
    const said = own.join("\n").toLowerCase();
    const unsaid = (texts: readonly string[]) => texts.map(fill).filter((text) => !said.includes(text.toLowerCase().slice(1)));
    const candidates = [
      unsaid(family.user[own.length] ?? []),
      own.length < beats ? [] : unsaid(closings),
      unsaid(family.user.flat()),
      closings.map(fill),
    ];
    const phrasing = pick(candidates.find((list) => list.length > 0) ?? closings, next);

    const manner = (lineValue(system, "Manner") ?? "").toLowerCase();
    const voice = corpus.voices.manners.find(({ word }) => manner.includes(word));
    const starters = (voice?.starters ?? []).filter((starter) => !said.includes(starter.toLowerCase()));
    if (own.length === 0 || starters.length === 0 || next() > 0.45) return phrasing;
    return withStarter(pick(starters, next), phrasing) ?? phrasing;
  };
}
