/** A stored value and the version that a compare-and-swap names. */
export interface Stored<T = unknown> {
  readonly key: string;
  readonly value: T;
  /** Only ever compared by the store. */
  readonly version: string;
}

/**
 * Small facts that several processes write: claims, unit rows, stage records, what is published. Values are JSON.
 * A rename is no compare-and-swap, so these are rows of a database or objects with conditional puts, never files.
 */
export interface Records {
  get(key: string): Promise<Stored | null>;
  /** Compare-and-swap. `expected` null: the key must not exist. False: somebody else was first; read again. */
  put(key: string, value: unknown, expected: string | null): Promise<boolean>;
  /** First write wins; answers the value that is stored. */
  putFirst(key: string, value: unknown): Promise<unknown>;
  /** In key order. */
  list(prefix: string): Promise<readonly Stored[]>;
  /** The same, read a few at a time: for what memory may not hold. It is not the state of one moment. */
  each(prefix: string): AsyncIterable<Stored>;
  remove(key: string): Promise<void>;
  close(): void;
}
