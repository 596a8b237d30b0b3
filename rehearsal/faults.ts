import { seeded } from "./random.ts";
import { Storm, type StormPlan } from "./storm.ts";

/** The request never gets an answer of the API. */
const transport = ["429", "500", "reset", "html", "broken-body", "quota", "auth", "silence"] as const;
/** The API answers 200, and the content is bad. */
const content = ["empty", "truncated", "malformed", "refusal"] as const;
type DrawnKind = (typeof transport)[number] | (typeof content)[number];
/** A storm comes by its own plan and is never drawn. */
export type FaultKind = DrawnKind | "storm";
const kinds: readonly string[] = [...transport, ...content];

/** What to do wrong with a request, and how long to wait before. */
export interface Fault {
  readonly kind?: FaultKind;
  readonly latencyMs: number;
}

function isKind(text: string): text is DrawnKind {
  return kinds.includes(text);
}

/**
 * Draws faults. A spec is `429=0.05,empty=0.01,seed=7`: rates by kind, summing to 1 at most. Transport faults are drawn anew at each
 * attempt at a key, so that trying again helps; content faults belong to the key, so that the same request gets the same answer.
 */
export class Faults {
  readonly #rates: readonly (readonly [DrawnKind, number])[];
  readonly #seed: string;
  readonly #latencyMs: number;
  readonly #storm: Storm | undefined;
  readonly #attempts = new Map<string, number>();

  constructor(spec: string, latencyMs: number, storm?: StormPlan) {
    const entries = spec
      .split(",")
      .filter((part) => part !== "")
      .map((part) => part.split("="));
    this.#seed = entries.find(([kind]) => kind === "seed")?.[1] ?? "0";
    this.#latencyMs = latencyMs;
    this.#storm = storm && new Storm(storm);
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

  /** The fault for a request: the storm's, else its header's (`429`, `latency=200`, `empty,latency=50`), else one drawn. */
  draw(key: string, header: string | undefined): Fault {
    // A request that the storm hits counts as no attempt: what is drawn after it is what would be drawn without it.
    if (this.#storm?.hits(performance.now()) === true) return { kind: "storm", latencyMs: this.#latencyMs };
    if (header !== undefined) {
      const parts = header.split(",").map((part) => part.trim());
      const kind = parts.find(isKind);
      const latency = parts.find((part) => part.startsWith("latency="))?.slice("latency=".length);
      return { ...(kind === undefined ? {} : { kind }), latencyMs: latency === undefined ? this.#latencyMs : Number(latency) };
    }
    const kind = this.#drawn(key);
    return { ...(kind === undefined ? {} : { kind }), latencyMs: this.#latencyMs };
  }

  #drawn(key: string): DrawnKind | undefined {
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
