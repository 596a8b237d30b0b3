import type { Holders } from "./holders.ts";

/** A process that has not looked for so long was stopped or stuck itself, and can't tell who was silent meanwhile. */
const gapMs = 4000;

/**
 * For how long other processes gave no sign, by this process's own looks and monotonic clock: clocks of hosts differ and step, and a machine that
 * stands still makes everyone look dead.
 */
export class Silence {
  readonly #seen = new Map<string, { readonly at: number; since: number }>();
  #looked = Number.NEGATIVE_INFINITY;

  /** Takes note of a record that was just read. `now`: monotonic, ms. */
  look(holders: Holders, now: number): void {
    const gap = now - this.#looked > gapMs;
    this.#looked = now;
    for (const id of this.#seen.keys()) if (holders[id] === undefined) this.#seen.delete(id);
    for (const [id, { at }] of Object.entries(holders)) {
      const seen = this.#seen.get(id);
      if (gap || seen === undefined || seen.at !== at) this.#seen.set(id, { at, since: now });
    }
  }

  of(id: string, now: number): number {
    return now - (this.#seen.get(id)?.since ?? now);
  }
}
