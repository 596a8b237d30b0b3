import type { Rating } from "./measurement.ts";
import { random } from "./random.ts";

/** Targets come from these participants; the others are kept for quotes, reward-model training and calibration. */
const targetShare = 0.6;

/** Fewer participants than this make no target. */
export const leastTargetParticipants = 2;

/** Ratings of the participants that targets are made of, drawn by the experiment's seed. */
export function targetRatings(all: readonly Rating[], seed: number): readonly Rating[] {
  return all.filter(({ participant }) => random(seed, "participants", participant).next() < targetShare);
}

/** How many people rated. */
export function participantCount(ratings: readonly Rating[]): number {
  return new Set(ratings.map(({ participant }) => participant)).size;
}
