/** The seven dimensions of SENSE-7, in its order. */
export const dimensions = ["affective", "cognitive", "response", "prosocial", "interest", "contextual", "relational"] as const;
type Dimension = (typeof dimensions)[number];

/** Ratings 1–5; null where a dimension can't be rated. */
export type Ratings = Readonly<Record<Dimension, number | null>>;

/** A judged reply. `overall` is null when it was not scored, and `unscored` says why; never a default. */
export interface Judged {
  /** 0–1. */
  readonly overall: number | null;
  readonly dimensions: Ratings;
  readonly unscored?: string;
}

/** A 1–5 rating on 0–1. */
function levelOf(rating: number): number {
  return (rating - 1) / 4;
}

/** A level 0–1 on the rubric's 1–5. */
export function ratingOf(level: number): number {
  return 1 + 4 * level;
}

/** Dimensions that make up the overall level: a fixed set, so that turns compare. Relational continuity stands apart: a first turn has none. */
const overallDimensions = dimensions.filter((dimension) => dimension !== "relational");

/** Mean of the fixed set on 0–1; null unless all of it was rated. */
export function overallLevel(ratings: Ratings): number | null {
  const values = overallDimensions.map((dimension) => ratings[dimension]).filter((value) => value !== null);
  if (values.length < overallDimensions.length) return null;
  return levelOf(values.reduce((sum, value) => sum + value, 0) / values.length);
}

export const unrated: Ratings = {
  affective: null,
  cognitive: null,
  response: null,
  prosocial: null,
  interest: null,
  contextual: null,
  relational: null,
};

/** Mean of repeated judgements, over those that were scored. */
export function meanJudged(runs: readonly Judged[]): Judged {
  const scored = runs.filter((run) => run.overall !== null);
  const first = runs[0];
  if (scored.length === 0) return first ?? { overall: null, dimensions: unrated, unscored: "not judged" };
  const mean = (values: readonly (number | null)[]): number | null => {
    const rated = values.filter((value) => value !== null);
    return rated.length === 0 ? null : rated.reduce((sum, value) => sum + value, 0) / rated.length;
  };
  return {
    overall: mean(scored.map((run) => run.overall)),
    dimensions: Object.fromEntries(dimensions.map((name) => [name, mean(scored.map((run) => run.dimensions[name]))])) as Record<
      Dimension,
      number | null
    >,
  };
}
