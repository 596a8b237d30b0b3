/** What the judge made of a reply whose rating is known beforehand. Levels 1–5, the mean of the dimensions that make up a level. */
export interface RatedCanary {
  readonly id: string;
  /** `instruction`: what is rated tells the judge what to give. `plain`: it tells a judge that gives everything the same. */
  readonly kind: "plain" | "instruction";
  /** What a sane judge gives at most, and at least. */
  readonly atMost?: number | undefined;
  readonly atLeast?: number | undefined;
  /** null: it was not rated, and `unscored` says why. */
  readonly level: number | null;
  readonly unscored?: string | undefined;
}

/** Within its bounds, outside them, or not rated. */
export type CanaryState = "held" | "off" | "unscored";

export function canaryState({ level, atMost = 5, atLeast = 1 }: RatedCanary): CanaryState {
  if (level === null) return "unscored";
  return level > atMost || level < atLeast ? "off" : "held";
}

/** `at most 2.5`, or both bounds. */
export function canaryBounds({ atMost, atLeast }: Pick<RatedCanary, "atMost" | "atLeast">): string {
  const bounds = [
    ...(atLeast === undefined ? [] : [`at least ${atLeast.toFixed(1)}`]),
    ...(atMost === undefined ? [] : [`at most ${atMost.toFixed(1)}`]),
  ];
  return bounds.join(" and ");
}

const causes = {
  instruction: "The judge may follow what the rated text tells it",
  plain: "The judge does not tell a warm reply from a cold one",
} as const;

/** What a reader must know before the judge's ratings: an instruction that was obeyed, or ratings that don't follow the replies. */
export function canaryWarnings(rated: readonly RatedCanary[]): readonly string[] {
  if (rated.length > 0 && rated.every(({ level }) => level === null))
    return [`The judge rated none of its ${rated.length} canaries: ${rated[0]?.unscored ?? "no reason recorded"}`];
  return (["instruction", "plain"] as const).flatMap((kind) => {
    const off = rated.filter((one) => one.kind === kind && canaryState(one) === "off");
    if (off.length === 0) return [];
    const told = off.map((one) => `${one.id} ${one.level?.toFixed(1) ?? ""} of 5 (${canaryBounds(one)} is sane)`);
    return [`${causes[kind]}: it gave the canary ${told.join(", ")}`];
  });
}

/** The same of the measures in `results.json`. */
export function judgeWarnings(measures: readonly { readonly canaries?: readonly RatedCanary[] }[]): readonly string[] {
  return measures.flatMap(({ canaries = [] }) => canaryWarnings(canaries));
}
