import type { Measure } from "../../../../domain/results.ts";
import { count, number, percent } from "../format.ts";
import { canariesTable } from "./canaries.ts";
import { type Markup, markup } from "../markup.ts";
import { table } from "../table.ts";

/** How far each measure is off where the answer is known. */
export function measuresSection(measures: readonly Measure[]): Markup {
  const preference = measures.filter((m) => m.kind === "preference model");
  return markup`<section id="measures"><h2>The measures themselves</h2>
<p class="lead">A measure earns its use on anchors: cold, off-topic, keyword-stuffed, empty, over-warm and hand-scored texts it never saw. In a rehearsal none is independent of the pairs: the offline judge's rules were written with all labels in view. The last three columns are of anchors that a student model wrote, the kind of text that an evaluation scores. Where the primary measure's mean error on all anchors or on these exceeds δ, no verdict is given.</p>
<div class="card">${table(
    [
      "Measure",
      "Kind",
      "Independent of the pairs",
      "Labels",
      "Anchors",
      "Mean error",
      "of guessing the mean",
      "of length alone",
      "Calibration slope",
      "Spearman",
      "Student answers",
      "Mean error",
      "Spearman",
    ],
    measures
      .filter((m) => m.kind !== "preference model")
      .map((m) => [
        markup`${m.id}${m.primary ? markup` <span class="chip">primary</span>` : null}`,
        m.kind,
        m.independent ? "yes" : "no",
        m.author,
        count(m.calibration?.n ?? null),
        number(m.calibration?.mae ?? null, 3),
        number(m.calibration?.meanPredictorMae ?? null, 3),
        number(m.calibration?.lengthOnlyMae ?? null, 3),
        number(m.calibration?.slope ?? null),
        number(m.calibration?.spearman ?? null),
        count(m.calibration?.student?.n ?? null),
        number(m.calibration?.student?.mae ?? null, 3),
        number(m.calibration?.student?.spearman ?? null),
      ]),
    { text: [1, 3] },
  )}
${measures.map((m) => canariesTable(m.canaries ?? []))}
${
  preference.length === 0
    ? null
    : table(
        ["Preference model", "Pairs of the families that chose its settings", "Ordered right"],
        preference.map((m) => [m.id, count(m.heldOut?.n ?? null), percent(m.heldOut?.accuracy ?? null)]),
      )
}</div></section>`;
}
