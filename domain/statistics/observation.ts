/** One conversation: its family and the quantities measured on it, the same number for all observations of a set. */
export interface Observation {
  readonly family: string;
  readonly values: readonly number[];
}

/** Both ends; at a stated level, 95 % unless said otherwise. */
export type Interval = readonly [low: number, high: number];
