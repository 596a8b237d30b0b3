import { random } from "./random.ts";

export interface PersonaFields {
  readonly name: string;
  readonly age: number;
  readonly occupation: string;
  readonly manner: string;
}

export interface Persona extends PersonaFields {
  readonly prose: string;
}

/** What the fields are drawn from. */
export interface PersonaSource {
  readonly names: readonly string[];
  readonly ages: readonly [number, number];
  readonly occupations: readonly string[];
  readonly manners: readonly string[];
}

/** The fields of a unit's persona; another `draw` when the first was not plausible. Manners go round, so that each occurs. */
export function drawPersona(source: PersonaSource, seed: number, unit: number, stream: string, draw: number): PersonaFields {
  const dice = random(seed, "persona", stream, unit, draw);
  const [from, to] = source.ages;
  const manners = random(seed, "manners", stream).shuffled(source.manners);
  return {
    name: dice.pick(source.names),
    age: from + dice.below(to - from + 1),
    occupation: dice.pick(source.occupations),
    manner: manners[(unit + draw) % manners.length] ?? dice.pick(source.manners),
  };
}

/** A unit's scenario family: families go round in a seeded order, so that their numbers differ by one at most. */
export function familyOf<T>(families: readonly T[], seed: number, unit: number, stream: string): T {
  const order = random(seed, "families", stream).shuffled(families);
  const family = order[unit % order.length];
  if (family === undefined) throw new RangeError(`No scenario family in ${stream}`);
  return family;
}

/** A desired level for one conversation, drawn from the levels that people stated. */
export function drawDesired(levels: readonly number[], seed: number, unit: number, stream: string): number {
  return random(seed, "desired", stream, unit).pick(levels);
}
