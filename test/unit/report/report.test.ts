import { describe, expect, test } from "vitest";
import { assemble } from "../../../activities/report/assemble.ts";
import { reportPage } from "../../../activities/report/html/page.ts";
import { readItems } from "../../../activities/report/rows.ts";
import { summary } from "../../../domain/summary.ts";
import { type FixtureOptions, runData } from "../../fixtures/report/run-data.ts";

const cases: readonly (readonly [string, FixtureOptions])[] = [
  ["a whole run", {}],
  ["nothing at all", { empty: true, mae: null }],
  ["one arm", { arms: ["baseline"] }],
  ["one conversation", { conversations: 1 }],
  ["one turn", { turns: 1 }],
  ["no score at all", { unscored: true }],
  ["a real teacher", { rehearsal: false }],
];

describe.each(cases)("%s", (_, options) => {
  const results = assemble(runData(options));
  const page = reportPage(results);

  test("renders one page that asks nothing of the network", () => {
    expect(page).toMatch(/^<!doctype html>/);
    expect(page).not.toMatch(/(?:src|href)="(?!#)/);
    expect(page).not.toMatch(/https?:|<script|@import|url\(/);
  });
  test("holds no number that is none", () => {
    expect(page).not.toMatch(/NaN|Infinity|undefined|\[object/);
    expect(summary(results)).not.toMatch(/NaN|Infinity|undefined/);
    expect(JSON.parse(JSON.stringify(results))).toEqual(results);
  });
});

describe("results", () => {
  test("a whole run closes its gap, context by context", () => {
    const { headline, backbones } = assemble(runData());
    expect(headline.verdict).toBe("gap reduced");
    expect(headline.evidence).toBe("none");
    expect(headline.gapReduction.pooled.value).toBeGreaterThan(0.7);
    expect(backbones[0]?.contexts.map((c) => c.contrast?.verdict)).toEqual([
      "gap reduced",
      "no difference shown",
      "gap reduced",
      "gap reduced",
    ]);
    const writing = backbones[0]?.contexts[3];
    expect(writing?.arms["baseline"]?.gap.mean.signed).toBeGreaterThan(0);
    expect(writing?.contrast?.factor.value).toBeNull();
    expect(writing?.contrast?.overshoot.underMargin).toBe(true);
  });
  test("a measure that is further off than the margin gives no verdict", () => {
    const { headline, backbones } = assemble(runData({ mae: 0.13 }));
    expect(headline.verdict).toBe("not estimable");
    expect(headline.reasons[0]).toMatch(/0\.130.*exceeds/);
    expect(backbones[0]?.contexts[0]?.contrast?.verdict).toBe("not estimable");
    expect(assemble(runData({ mae: null })).headline.verdict).toBe("not estimable");
  });
  test("lost scores are missing, never 0", () => {
    const arm = assemble(runData({ unscored: true })).backbones[0]?.contexts[0]?.arms["adapter"];
    expect(arm).toMatchObject({ mean: null, missing: 48, n: 0, gap: { mean: { value: null } } });
    expect(arm?.gap.mean.why).toMatch(/48 of 48/);
  });
  test("equal arms show no difference", () => {
    const data = runData();
    const items = Object.fromEntries(
      Object.entries(data.items).map(([b, contexts]) => [
        b,
        Object.fromEntries(Object.entries(contexts).map(([c, arms]) => [c, { ...arms, adapter: arms["baseline"] ?? [] }])),
      ]),
    );
    const { headline } = assemble({ ...data, items });
    expect(headline.verdict).toBe("no difference shown");
    expect(headline.gapReduction.pooled.value).toBe(0);
  });
  test("copied sentences and outcomes are counted", () => {
    const arm = assemble(runData()).backbones[0]?.contexts[0]?.arms["adapter"];
    expect(arm?.copied).toBeGreaterThan(0);
    expect(arm).toMatchObject({ empty: 1, truncated: 12, missing: 0 });
  });
  test("a real provider is exploratory, not evidence by itself; illustrative targets are none at all", () => {
    const data = runData({ rehearsal: false });
    const desired = Object.fromEntries(Object.entries(data.desired).map(([id, d]) => [id, { ...d, illustrative: false }]));
    expect(assemble({ ...data, desired }).headline.evidence).toBe("exploratory");
    expect(assemble(data).headline).toMatchObject({
      evidence: "none",
      evidenceWhy: "the targets are illustrative, not from people",
    });
  });
  test("an error on student answers above δ blocks every verdict, though the error on all anchors is below it", () => {
    const data = runData();
    const measures = data.measures.map((m) =>
      m.calibration === null
        ? m
        : { ...m, calibration: { ...m.calibration, student: { n: 40, mae: 0.2, slope: 0.1, spearman: 0.1 } } },
    );
    const { headline } = assemble({ ...data, measures });
    expect(headline.verdict).toBe("not estimable");
    expect(headline.reasons.join()).toContain("student answers among the anchors (0.200) exceeds δ (0.10)");
  });
});

describe("page", () => {
  test("says that a rehearsal is no evidence, and only then", () => {
    expect(reportPage(assemble(runData()))).toContain("Rehearsal: not evidence");
    expect(reportPage(assemble(runData({ rehearsal: false })))).not.toContain("Rehearsal: not evidence");
  });
  test("escapes what models and people wrote", () => {
    const page = reportPage(assemble(runData()));
    expect(page).toContain("&lt;b&gt;not&lt;/b&gt;");
    expect(page).not.toContain("<b>not</b>");
  });
  test("says not estimable where nothing can be estimated", () =>
    expect(reportPage(assemble(runData({ unscored: true })))).toMatch(/class="big none">not estimable/));
});

describe("models that answered", () => {
  const spoken = (...models: readonly string[]) => ({
    role: "judge",
    asked: "small",
    answered: models.map((model) => ({ model, answers: 7, stages: ["steer"] })),
  });
  test("several in one role are flagged above everything, in the table and in the terminal", () => {
    const results = assemble({ ...runData(), answered: [{ ...spoken("small-2026-04-14", "small-2026-09-01"), state: "mix" }] });
    const page = reportPage(results);
    expect(page.indexOf("Models changed")).toBeLessThan(page.indexOf("How much of the gap"));
    expect(page).toContain("2 models answered as judge, asked for as small");
    expect(page).toContain("several models in one run");
    expect(summary(results)).toMatch(/^Warning: 2 models answered as judge/m);
  });
  test("another model than was asked for is a warning; the one that was asked for, or results that don't say, are none", () => {
    const other = reportPage(assemble({ ...runData(), answered: [{ ...spoken("large"), state: "other" }] }));
    expect(other).toContain("judge was asked for as small and answered by large (7 answers, steer)");
    const results = assemble(runData());
    expect(reportPage(results)).not.toContain("Models changed");
    const { answered: _answered, ...provenance } = results.provenance;
    const older = { ...results, provenance };
    expect(reportPage(older)).not.toContain("Models changed");
    expect(summary(older)).not.toContain("Warning");
  });
});

test("a row of another shape names its line", async () => {
  async function* rows() {
    yield { unit: "a", context: "c", family: "f", arm: "baseline", turns: [{ turn: 1, user: "u", reply: "r" }] };
    yield { unit: "b" };
  }
  await expect(readItems(rows(), "rows.jsonl")).rejects.toThrow(/rows\.jsonl, line 2/);
});
