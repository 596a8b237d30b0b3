import { describe, expect, test } from "vitest";
import { moments, meanInterval, standardError } from "../../../../domain/statistics/clusters.ts";
import { random as stream } from "../../../../domain/random.ts";
import { histogram, mean, quantile, sd, slope } from "../../../../domain/statistics/describe.ts";
import { addParts, fieller, ratioParts } from "../../../../domain/statistics/fieller.ts";
import { detectableDifference, holm, pAbove, pTost, pTwoSided } from "../../../../domain/statistics/tests.ts";
import { tCdf, tQuantile } from "../../../../domain/statistics/student.ts";
import type { Observation } from "../../../../domain/statistics/observation.ts";

/** Values of R 4.3: qt() and pt(). */
describe("Student's t", () => {
  test.each([
    [0.975, 1, 12.7062047],
    [0.975, 8, 2.3060041],
    [0.95, 2.5, 2.558219],
    [0.995, 30, 2.7499957],
    [0.975, 1e6, 1.9599664],
  ])("quantile of %f at %f degrees", (p, df, expected) => expect(tQuantile(p, df)).toBeCloseTo(expected, 5));

  test("cdf", () => {
    expect(tCdf(2, 5)).toBeCloseTo(0.9490303, 6);
    expect(tCdf(0, 3)).toBe(0.5);
    expect(tCdf(-2, 5) + tCdf(2, 5)).toBeCloseTo(1, 12);
  });

  test("refuses what has no quantile", () => expect(() => tQuantile(1, 5)).toThrow(RangeError));
});

describe("describing", () => {
  test("nothing has no mean", () => {
    expect(mean([])).toBeNull();
    expect(sd([1])).toBeNull();
    expect(quantile([], 0.5)).toBeNull();
    expect(slope([{ x: 1, y: 1 }])).toBeNull();
  });
  test("known values", () => {
    expect(sd([2, 4, 4, 4, 5, 5, 7, 9])).toBeCloseTo(2.13809, 5);
    expect(quantile([1, 2, 3, 4], 0.25)).toBe(1.75);
    expect(
      slope([
        { x: 1, y: 2 },
        { x: 2, y: 4 },
        { x: 3, y: 6 },
      ]),
    ).toBe(2);
    expect(histogram([0, 0.05, 0.5, 1, 1.2, -0.1], 10)).toEqual([3, 0, 0, 0, 0, 1, 0, 0, 0, 2]);
  });
});

describe("tests", () => {
  test("Holm's adjustment", () => expect(holm([0.01, 0.04, 0.03, 0.005])).toEqual([0.03, 0.06, 0.06, 0.02]));
  test("equivalence needs both sides", () => {
    expect(pTost({ mean: 0, se: 0.02, df: 20 }, 0.1)).toBeLessThan(0.001);
    expect(pTost({ mean: 0.09, se: 0.02, df: 20 }, 0.1)).toBeGreaterThan(0.05);
    expect(pTost({ mean: -0.3, se: 0.02, df: 20 }, 0.1)).toBeGreaterThan(0.99);
  });
  test("no spread is certain, not NaN", () => {
    expect(pAbove({ mean: 0.2, se: 0, df: 3 }, 0.1)).toBe(0);
    expect(pTwoSided({ mean: 0, se: 0, df: 3 })).toBe(1);
  });
  test("detectable difference", () => expect(detectableDifference({ se: 1, df: 1e6 })).toBeCloseTo(2.8016, 3));
});

describe("Fieller", () => {
  test("agrees with the delta method where the denominator is sharp", () => {
    const parts = { numerator: 1, denominator: 4, numeratorVariance: 0.01, denominatorVariance: 1e-10, covariance: 0, df: 1e6 };
    const ratio = fieller(parts);
    expect(ratio?.value).toBe(0.25);
    expect(ratio?.ci?.[0]).toBeCloseTo(0.25 - 1.96 * 0.025, 4);
  });
  test("has no interval where the denominator may be 0", () => {
    expect(
      fieller({ numerator: 1, denominator: 0.1, numeratorVariance: 0.01, denominatorVariance: 0.01, covariance: 0, df: 30 })?.ci,
    ).toBeNull();
    expect(
      fieller({ numerator: 1, denominator: 0, numeratorVariance: 0, denominatorVariance: 0, covariance: 0, df: 30 }),
    ).toBeNull();
  });
  test("covers", () => {
    const random = normals(3);
    let covered = 0;
    const trials = 600;
    for (let i = 0; i < trials; i++) {
      const observations = Array.from({ length: 20 }, (_, k): Observation => {
        const shared = random();
        return { family: `f${k % 4}`, values: [0.3 + 0.2 * shared + 0.1 * random(), 1 + 0.2 * shared] };
      });
      const m = moments(observations);
      const ci = m === null ? null : fieller(ratioParts(m))?.ci;
      if (ci && ci[0] <= 0.3 && ci[1] >= 0.3) covered += 1;
    }
    expect(covered / trials).toBeGreaterThan(0.92);
    expect(covered / trials).toBeLessThan(0.98);
  });
  test("sums independent parts", () => {
    const part = { numerator: 1, denominator: 2, numeratorVariance: 0.1, denominatorVariance: 0.2, covariance: 0.05, df: 8 };
    expect(addParts([part, { ...part, df: 5 }])).toEqual({
      numerator: 2,
      denominator: 4,
      numeratorVariance: 0.2,
      denominatorVariance: 0.4,
      covariance: 0.1,
      df: 5,
    });
    expect(addParts([])).toBeNull();
  });
});

describe("means over conversations and families", () => {
  /** `spread` is the sd of families, 1 that of conversations. */
  const draw = (random: () => number, families: number, each: number, spread: number, effect = 0): Observation[] =>
    Array.from({ length: families }, (_, f) => ({ family: `f${f}`, at: spread * random() })).flatMap(({ family, at }) =>
      Array.from({ length: each }, () => ({ family, values: [effect + at + random()] })),
    );
  const share = (trials: number, make: (i: number) => Observation[]) => {
    let covered = 0;
    for (let i = 0; i < trials; i++) {
      const ci = meanInterval(make(i), i);
      if (ci && ci[0] <= 0 && ci[1] >= 0) covered += 1;
    }
    return covered / trials;
  };

  test("A against A holds 0 in about 95 %: fixed families", () => {
    const random = normals(5);
    const covered = share(800, () => draw(random, 4, 3, 0));
    expect(covered).toBeGreaterThan(0.925);
    expect(covered).toBeLessThan(0.975);
  });
  test("A against A holds 0 in about 95 %: families are a sample", () => {
    const random = normals(6);
    const covered = share(120, () => draw(random, 14, 3, 1));
    expect(covered).toBeGreaterThan(0.88);
    expect(covered).toBeLessThanOrEqual(1);
  });
  test("a planted effect is found", () => {
    const ci = meanInterval(draw(normals(7), 4, 6, 0, 1.5), 1);
    expect(ci?.[0]).toBeGreaterThan(0);
  });
  test("ties and families of one", () => {
    const tied = Array.from({ length: 6 }, (_, i) => ({ family: `f${i % 3}`, values: [0.5] }));
    expect(meanInterval(tied, 1)).toEqual([0.5, 0.5]);
    const m = moments([
      { family: "a", values: [1] },
      { family: "b", values: [3] },
    ]);
    expect(m?.df).toBe(1);
    expect(m && standardError(m, [1])).toBe(1);
    expect(moments([{ family: "a", values: [1] }])).toBeNull();
  });
  test("the same seed gives the same interval", () => {
    const observations = draw(normals(8), 14, 2, 1);
    expect(meanInterval(observations, 4)).toEqual(meanInterval(observations, 4));
  });
});

function normals(seed: number): () => number {
  const uniform = stream(seed).next;
  return () => Math.sqrt(-2 * Math.log(1 - uniform())) * Math.cos(2 * Math.PI * uniform());
}
