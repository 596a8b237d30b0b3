import type { Results, Verdict } from "../../../../domain/results.ts";
import { shareBar } from "../charts/bar.ts";
import { estimate, number, percent, percentInterval } from "../format.ts";
import { type Markup, markup } from "../markup.ts";

/** The one number, its interval, and what may be concluded from it. */
export function headlineSection(results: Results): Markup {
  const { headline } = results;
  const { pooled, macro } = headline.gapReduction;
  const contexts = results.backbones.flatMap((b) => b.contexts);
  const verdicts = contexts.flatMap((c) => (c.contrast === null ? [] : [c]));
  return markup`<section id="headline" class="card hero"><div>
<h2>How much of the gap did the experts close?</h2>
${
  pooled.value === null
    ? markup`<div class="big none">not estimable</div><p>${pooled.why ?? "No reason was recorded."}</p>`
    : markup`<div class="big">${percent(pooled.value)}</div><p>of Baseline's distance from the desired level, over all contexts ${pooled.ci95 === null ? null : markup`<span class="ci">95 % interval ${percentInterval(pooled.ci95)}</span>`}</p>${shareBar(pooled.value, pooled.ci95)}`
}
<p class="lead">${headline.scope}</p></div>
<div><dl class="facts">
<dt>Verdict</dt><dd>${verdictChip(headline.verdict)}</dd>
<dt>Evidence</dt><dd><b>${headline.evidence}</b>: ${headline.evidenceWhy}</dd>
<dt>Mean of contexts</dt><dd>${estimate(macro, percent, percentInterval)}${macro.value !== null && macro.why !== undefined ? markup`<br><span class="note">${macro.why}</span>` : null}</dd>
<dt>Factor</dt><dd>${headline.factor.value === null ? estimate(headline.factor) : markup`× ${estimate(headline.factor)}<br><span class="note">Adapter / Baseline where more was wanted</span>`}</dd>
<dt>Margin δ</dt><dd>${number(headline.margin)} of 1</dd>
</dl>${verdicts.length === 0 ? null : markup`<ul class="verdicts">${verdicts.map((c) => markup`<li><span>${c.title}</span>${verdictChip(c.contrast?.verdict ?? "not estimable")}</li>`)}</ul>`}${headline.reasons.length === 0 ? null : markup`<ul class="reasons">${headline.reasons.map((reason) => markup`<li>${reason}</li>`)}</ul>`}</div></section>`;
}

/** A verdict as a coloured word; the word alone carries the meaning. */
export function verdictChip(verdict: Verdict): Markup {
  const tone = verdict === "gap reduced" ? " good" : verdict === "gap widened" ? " bad" : "";
  return markup`<span class="chip${tone}">${verdict}</span>`;
}
