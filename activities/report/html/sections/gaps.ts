import type { ArmResults, BackboneResults, ContextResults, Contrast, Measure } from "../../../../domain/results.ts";
import { armName, estimate, interval, none, number, percent, percentInterval, signed } from "../format.ts";
import { type Markup, markup } from "../markup.ts";
import { table } from "../table.ts";
import { verdictChip } from "./headline.ts";

/** Gaps with everything that must stand beside them: the measure's error, the copied share, the floor of the item gap. */
export function gapsSection(backbones: readonly BackboneResults[], measures: readonly Measure[]): Markup {
  const calibration = measures.find((m) => m.primary)?.calibration ?? null;
  const student = calibration?.student ?? null;
  const error = student?.mae ?? calibration?.mae ?? null;
  const on = student === null ? "its anchors" : `the ${student.n} student answers among its anchors`;
  return markup`<section id="gaps"><h2>Gaps</h2>
<p class="lead">Achieved − desired, so a plus is too much empathy. <b>Matches</b>: the smallest of the margins 0.05, δ and 0.15 within which the gap is shown to lie (two one-sided tests at 5 %). <b>Item gap</b>: mean distance from each persona's own desired level, with the floor that the best constant level would leave. The primary measure's own mean error on ${on} is <b>${number(error, 3)}</b>; smaller gaps are within it.</p>
${backbones.map((b) => markup`<div class="card">${backbones.length > 1 ? markup`<h3>${b.backbone}</h3>` : null}${gapTable(b.contexts, error)}</div><div class="card" style="margin-top:18px"><h3>Adapter against Baseline, on the same items</h3>${contrastTable(b.contexts)}</div>`)}</section>`;
}

function gapTable(contexts: readonly ContextResults[], error: number | null): Markup {
  return table(
    ["Arm", "|Gap|", "Signed", "Achieved", "Desired", "Matches", "Item gap", "Floor", "Measure's error", "Copied"],
    contexts.flatMap((c) => [{ group: c.title }, ...Object.entries(c.arms).map(([arm, r]) => row(c, arm, r, error))]),
  );
}

function row(c: ContextResults, arm: string, r: ArmResults, error: number | null): Markup[] {
  const { mean, conv } = r.gap;
  return [
    markup`${armName(arm)}`,
    estimate(mean),
    signed(mean.signed),
    number(r.mean),
    number(c.desired.mean),
    matches(mean.matches),
    conv.value === null ? estimate(conv) : markup`${number(conv.value)} ${interval(conv.ci95)}`,
    number(conv.floor),
    number(error, 3),
    percent(r.copied),
  ];
}

/** The smallest margin within which the gap is shown to lie. */
function matches(margins: ArmResults["gap"]["mean"]["matches"]): Markup {
  const tested = Object.entries(margins).toSorted((a, b) => Number(a[0]) - Number(b[0]));
  if (tested.every(([, shown]) => shown === null)) return none;
  const least = tested.find(([, shown]) => shown === true);
  return least === undefined ? markup`no` : markup`<b>±${least[0]}</b>`;
}

/** One column a context, since the quantities are many and their names long. */
function contrastTable(contexts: readonly ContextResults[]): Markup {
  const both = contexts.flatMap((c) => (c.contrast === null ? [] : [{ title: c.title, k: c.contrast }]));
  const line = (name: string, cell: (k: Contrast) => Markup) => [name, ...both.map(({ k }) => cell(k))];
  if (both.length === 0) return markup`<p class="none">Adapter and Baseline were not both evaluated.</p>`;
  return table(
    ["", ...both.map(({ title }) => title)],
    [
      line("Verdict", (k) => verdictChip(k.verdict)),
      line("Share of the gap closed", (k) => estimate(k.reduction, percent, percentInterval)),
      line("|Gap| closed", (k) => estimate(k.improvement, signed)),
      line("p, Holm-corrected", (k) => p(k.improvement.pHolm)),
      line("Paired items; detectable difference", (k) => markup`${k.improvement.n}; ${number(k.improvement.detectable)}`),
      line("Level: Adapter − Baseline", (k) => estimate(k.shift, signed)),
      line("The same at equal reply length", (k) => estimate(k.shiftAtEqualLength, signed)),
      line("Item gap: share of the attainable closed", (k) => estimate(k.convReduction, percent, percentInterval)),
      line("Factor Adapter / Baseline", (k) => estimate(k.factor)),
      line(
        "Upper 95 % bound of the signed gap",
        (k) =>
          markup`${signed(k.overshoot.upper)} ${k.overshoot.underMargin === null ? null : markup`<span class="ci">${k.overshoot.underMargin ? "no overshoot" : "may overshoot"}</span>`}`,
      ),
      line("Preferred to Baseline, turns", (k) => percent(k.preferred)),
    ],
  );
}

const p = (value: number | null): Markup => (value === null ? none : value < 0.001 ? markup`&lt; 0.001` : number(value, 3));
