import { seeded } from "../random.ts";
import type { ChatRequest } from "../request.ts";
import { features, type Exchange } from "./features.ts";
import { dimensions, type Dimension, type Rules } from "./rules.ts";

/** However little sense a reply makes, this much of its level at most is taken away. */
const maxNonsense = 0.85;

export type Ratings = Readonly<Record<Dimension, number>>;

/** Levels 1–5 by the declared rules, exact and without a seed. An empty reply is 1 throughout. */
export function rate(exchange: Exchange, rules: Rules): Ratings {
  const found = Object.entries(exchange.reply.trim() === "" ? {} : features(exchange, rules));
  const sense =
    1 -
    Math.min(
      maxNonsense,
      found.reduce((total, [name, value]) => total + value * (rules.sense[name] ?? 0), 0),
    );
  const level = (dimension: Dimension): number => {
    if (found.length === 0) return 1;
    const sum = found.reduce(
      (total, [name, value]) => total + value * (rules.weights[name]?.[dimension] ?? 0),
      rules.base[dimension],
    );
    return Math.min(5, Math.max(1, 1 + sense * sum));
  };
  return Object.fromEntries(dimensions.map((dimension) => [dimension, level(dimension)])) as Ratings;
}

/** Mean of the ratings. */
export function overall(ratings: Ratings): number {
  return dimensions.reduce((sum, dimension) => sum + ratings[dimension], 0) / dimensions.length;
}

function between(text: string, open: string, close: string): string {
  const start = text.indexOf(open);
  const end = text.lastIndexOf(close);
  return start < 0 || end < start ? "" : text.slice(start + open.length, end).trim();
}

/** The user's messages in a transcript with the line heads `User:` and `Assistant:`. */
export function userLines(transcript: string): string[] {
  return transcript
    .split(/\n(?=(?:User|Assistant): )/)
    .map((part) => part.trim())
    .filter((part) => part.startsWith("User: "))
    .map((part) => part.slice("User: ".length));
}

function describe(ratings: Ratings): string {
  const order = dimensions.toSorted((one, other) => ratings[other] - ratings[one]);
  return `Strongest in ${order[0]}, weakest in ${order.at(-1)}; about ${overall(ratings).toFixed(1)} of 5 in all.`;
}

/**
 * Plays the judge: ratings by the rules, each moved by up to a quarter by the request's seed, as a real judge's vary.
 * Relational continuity is not ratable (null) before the user's second message.
 */
export function judgeRole(rules: Rules) {
  return ({ messages, seed }: ChatRequest): string => {
    const asked = messages.findLast((message) => message.role === "user")?.content ?? "";
    const said = userLines(between(asked, "<conversation>", "</conversation>"));
    const reply = between(asked, "<reply>", "</reply>");
    const ratings = rate({ said, reply }, rules);
    const next = seeded(seed, "judge", asked);
    const moved = dimensions.map((dimension) => {
      const level = Math.min(5, Math.max(1, ratings[dimension] + (next() - 0.5) / 2));
      return [dimension, dimension === "relational" && said.length < 2 ? null : Math.round(level * 10) / 10];
    });
    return JSON.stringify({ reasoning: describe(ratings), ...Object.fromEntries(moved) });
  };
}
