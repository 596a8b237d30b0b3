import { readFileSync } from "node:fs";
import { join } from "node:path";
import { parse } from "yaml";
import { rehearsalRoot } from "../corpus.ts";

export const dimensions = ["affective", "cognitive", "response", "prosocial", "interest", "contextual", "relational"] as const;
export type Dimension = (typeof dimensions)[number];

interface Lexicon {
  readonly cap: number;
  readonly pattern: RegExp;
}

export interface Rules {
  readonly lexicons: Readonly<Record<string, Lexicon>>;
  readonly base: Readonly<Record<Dimension, number>>;
  readonly weights: Readonly<Record<string, Readonly<Record<Dimension, number>>>>;
  /** Share of the whole that each mark of nonsense takes away. */
  readonly sense: Readonly<Record<string, number>>;
}

function compile(entries: readonly string[]): RegExp {
  const sorted = entries.toSorted((one, other) => other.length - one.length);
  return new RegExp(`\\b(?:${sorted.map((entry) => entry.replace("*", "[a-z']*")).join("|")})(?![a-z'])`, "g");
}

/** Reads judge/rules.yaml and compiles its lists. */
export function loadRules(): Rules {
  const raw = parse(readFileSync(join(rehearsalRoot, "judge/rules.yaml"), "utf8")) as {
    lexicons: Record<string, { cap: number; words: string[] }>;
    base: Rules["base"];
    weights: Rules["weights"];
    sense: Rules["sense"];
  };
  const lexicons = Object.entries(raw.lexicons).map(
    ([name, { cap, words }]) => [name, { cap, pattern: compile(words) }] as const,
  );
  return { lexicons: Object.fromEntries(lexicons), base: raw.base, weights: raw.weights, sense: raw.sense };
}
