import { seeded } from "./random.ts";

/** The request never gets an answer of the API. */
const transport = ["429", "500", "reset", "html", "quota", "auth", "silence"] as const;
/** The API answers 200, and the content is bad. */
const content = ["empty", "truncated", "malformed", "refusal"] as const;
export type FaultKind = (typeof transport)[number] | (typeof content)[number];
const kinds: readonly string[] = [...transport, ...content];

/** What to do wrong with a request, and how long to wait before. */
export interface Fault {
  readonly kind?: FaultKind;
  readonly latencyMs: number;
}

function isKind(text: string): text is FaultKind {
  return kinds.includes(text);
}

/**
 * Draws faults. A spec is `429=0.05,empty=0.01,seed=7`: rates by kind, summing to 1 at most. Transport faults are drawn anew at each
 * attempt at a key, so that trying again helps; content faults belong to the key, so that the same request gets the same answer.
 */
export class Faults {
  readonly #rates: readonly (readonly [FaultKind, number])[];
  readonly #seed: string;
  readonly #latencyMs: number;
  readonly #attempts = new Map<string, number>();

  constructor(spec: string, latencyMs: number) {
    const entries = spec
      .split(",")
      .filter((part) => part !== "")
      .map((part) => part.split("="));
    this.#seed = entries.find(([kind]) => kind === "seed")?.[1] ?? "0";
    this.#latencyMs = latencyMs;
    this.#rates = entries
      .filter(([kind]) => kind !== "seed")
      .map(([kind = "", rate]) => {
        const value = Number(rate);
        if (!isKind(kind) || !(value >= 0 && value <= 1)) {
          throw new Error(
            `Fault "${kind}=${rate}" is not known: give ${kinds.join(", ")} or latency with a rate from 0 to 1, and seed=N`,
          );
        }
        return [kind, value] as const;
      });
  }

  /** The fault for a request: its header's (`429`, `latency=200`, `empty,latency=50`), else one drawn. */
  draw(key: string, header: string | undefined): Fault {
    if (header !== undefined) {
      const parts = header.split(",").map((part) => part.trim());
      const kind = parts.find(isKind);
      const latency = parts.find((part) => part.startsWith("latency="))?.slice("latency=".length);
      return { ...(kind === undefined ? {} : { kind }), latencyMs: latency === undefined ? this.#latencyMs : Number(latency) };
    }
    const kind = this.#drawn(key);
    return { ...(kind === undefined ? {} : { kind }), latencyMs: this.#latencyMs };
  }

  #drawn(key: string): FaultKind | undefined {
    if (this.#rates.length === 0) return undefined;
    const attempt = this.#attempts.get(key) ?? 0;
    this.#attempts.set(key, attempt + 1);
    for (const [kind, rate] of this.#rates) {
      const isContent = (content as readonly string[]).includes(kind);
      if (seeded(this.#seed, kind, key, isContent ? "key" : attempt)() < rate) return kind;
    }
    return undefined;
  }
}
