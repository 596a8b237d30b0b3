/** One participant's task, on the raw scales. */
export interface Rating {
  readonly participant: string;
  readonly model: string;
  readonly context: string;
  /** 1–3. */
  readonly desired: number;
  /** Mean of the post-task items, 1–5; null when none was given. */
  readonly experienced: number | null;
  /** Mean of success and positive interaction, 1–5; null when not given. */
  readonly satisfied: number | null;
}

/** How a desired level (1–3) and an experienced one (1–5) are put on one scale: a choice, so a verdict must survive it. */
export type Link = "linear" | "equipercentile" | "criterion";

/** d = (x − 1) / 2. */
const linearDesired = (x: number) => (x - 1) / 2;
/** e = (y − 1) / 4. */
export const linearExperienced = (y: number) => (y - 1) / 4;

/**
 * Desired levels on 0–1, by link. Equipercentile: the experienced level at the same percentile of all ratings. Criterion: the mean experience of
 * satisfied people (at least 4 of 5) at that desired level, over all contexts.
 * @throws RangeError when the link needs ratings that are not there
 */
export function desiredLevels(all: readonly Rating[], link: Link): (rating: Rating) => number {
  if (link === "linear") return ({ desired }) => linearDesired(desired);
  const experienced = all.flatMap((r) => (r.experienced === null ? [] : [r.experienced])).toSorted((a, b) => a - b);
  if (experienced.length === 0)
    throw new RangeError(`The link ${link} needs post-task empathy ratings, and no row has any: use link linear`);
  if (link === "criterion") {
    return ({ desired }) => {
      const satisfied = all.filter((r) => r.desired === desired && r.experienced !== null && (r.satisfied ?? 0) >= 4);
      if (satisfied.length === 0)
        throw new RangeError(
          `The link criterion needs satisfied people who desired ${desired}, and there are none: use link linear`,
        );
      return linearExperienced(mean(satisfied.map((r) => r.experienced ?? 0)));
    };
  }
  const desired = all.map((r) => r.desired).toSorted((a, b) => a - b);
  return (rating) => {
    const below = desired.filter((x) => x < rating.desired).length;
    const equal = desired.filter((x) => x === rating.desired).length;
    const percentile = (below + equal / 2) / desired.length;
    return linearExperienced(experienced[Math.min(experienced.length - 1, Math.floor(percentile * experienced.length))] ?? 1);
  };
}

export function mean(values: readonly number[]): number {
  return values.reduce((sum, value) => sum + value, 0) / values.length;
}

/** Sample standard deviation; 0 for one value. */
export function standardDeviation(values: readonly number[]): number {
  if (values.length < 2) return 0;
  const centre = mean(values);
  return Math.sqrt(values.reduce((sum, value) => sum + (value - centre) ** 2, 0) / (values.length - 1));
}
