import type { BackboneResults, ContextResults } from "../../../../domain/results.ts";
import { histogramChart } from "../charts/histogram.ts";
import { armName, count, number, percent } from "../format.ts";
import { type Markup, markup } from "../markup.ts";
import { table } from "../table.ts";

/** How scores spread over turns, by measure and arm; means hide this. */
export function distributionsSection(backbones: readonly BackboneResults[]): Markup {
  return markup`<section id="distributions"><h2>Distributions of scores</h2>
<p class="lead">Every scored turn. <b>Generic</b> is the evaluator reward model (primary); <b>preference</b> is the context's own preference model, which saw the training pairs and never enters a gap; the judge reads the text only.</p>
${backbones.map((b) => markup`${backbones.length > 1 ? markup`<h3>${b.backbone}</h3>` : null}<div class="grid">${b.contexts.map(card)}</div>`)}
<div class="card" style="margin-top:18px"><h3>Outcomes and texture</h3><p class="lead">Empty, truncated and refused replies are outcomes of an arm and are scored as produced; only a lost score is missing.</p>${outcomes(backbones)}</div></section>`;
}

function card(context: ContextResults): Markup {
  const foot = markup`<span class="foot"><span>0</span><span>1</span></span>`;
  return markup`<div class="card"><h3>${context.title}</h3><div class="hist"><span></span><span class="h">generic</span><span class="h">preference</span><span class="h">judge</span>
${Object.entries(context.arms).map(
  ([arm, r]) => markup`<span>${armName(arm)}</span>
${histogramChart({ arm, counts: r.distribution.evaluator, desired: context.desired.mean, label: `${armName(arm)}: generic scores, mean ${r.mean?.toFixed(2) ?? "none"}` })}
${histogramChart({ arm, counts: r.distribution.preference, desired: null, label: `${armName(arm)}: preference scores, mean ${r.preference?.toFixed(2) ?? "none"}` })}
${histogramChart({ arm, counts: r.distribution.judge, desired: context.desired.mean, label: `${armName(arm)}: judged levels, mean ${r.judge.mean?.toFixed(2) ?? "none"}` })}
<span></span>${[r.mean, r.preference, r.judge.mean].map((m) => markup`<span class="h">mean ${number(m)}</span>`)}`,
)}<span></span>${foot}${foot}${foot}</div></div>`;
}

function outcomes(backbones: readonly BackboneResults[]): Markup {
  return table(
    [
      "Arm",
      "Conversations",
      "Turns",
      "Missing",
      "Unjudged",
      "Empty",
      "Truncated",
      "Refused",
      "Words a reply",
      "Distinct word pairs",
      "Copied from training",
    ],
    backbones.flatMap((b) =>
      b.contexts.flatMap((c) => [
        { group: backbones.length > 1 ? `${c.title}, ${b.backbone}` : c.title },
        ...Object.entries(c.arms).map(([arm, r]) => [
          armName(arm),
          markup`${count(r.n)} of ${count(c.items.asked)}`,
          count(r.turns),
          count(r.missing),
          count(r.judge.unscored),
          count(r.empty),
          count(r.truncated),
          count(r.refused),
          number(r.words, 1),
          percent(r.distinct2),
          percent(r.copied),
        ]),
      ]),
    ),
  );
}
