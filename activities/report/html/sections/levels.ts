import type { BackboneResults, ContextResults } from "../../../../domain/results.ts";
import { levelBar } from "../charts/bar.ts";
import { legend } from "../charts/turns.ts";
import { armName, count, interval, number } from "../format.ts";
import { type Markup, markup } from "../markup.ts";

/** Desired level and every arm's level, one card a context. The numbers stand beside the bars. */
export function levelsSection(backbones: readonly BackboneResults[]): Markup {
  const arms = [...new Set(backbones.flatMap((b) => b.contexts.flatMap((c) => Object.keys(c.arms))))];
  return markup`<section id="levels"><h2>Levels: desired and achieved</h2>
<p class="lead">Mean level of empathy by the primary measure, 0 to 1. The tall tick is the level people wanted; whiskers are 95 % intervals. A good expert ends at the tick, not at the far right. <b>Wrong Adapter</b> is another context’s expert.</p>
${legend(arms)}${backbones.map((b) => markup`${backbones.length > 1 ? markup`<h3>${b.backbone}</h3>` : null}<div class="grid">${b.contexts.map(card)}</div>`)}</section>`;
}

function card(context: ContextResults): Markup {
  const { desired } = context;
  return markup`<div class="card"><h3>${context.title}</h3><div class="bars">
<span>Desired</span><span></span><span class="num"><b>${number(desired.mean)}</b>${desired.n === null ? null : markup` <span class="ci">n ${count(desired.n)}${desired.illustrative ? ", illustrative" : ""}</span>`}</span>
${Object.entries(context.arms).map(
  ([
    arm,
    r,
  ]) => markup`<span>${armName(arm)}</span>${levelBar({ arm, value: r.mean, ci95: r.ci95, desired: desired.mean, label: `${context.title}, ${armName(arm)}: ${r.mean?.toFixed(2) ?? "not estimable"}` })}
<span class="num">${r.mean === null ? markup`<span class="none">no score</span>` : markup`<b>${number(r.mean)}</b> ${interval(r.ci95)}`}</span>`,
)}<span></span><span class="foot"><span>0</span><span>0.5</span><span>1</span></span><span></span></div>${experienced(context)}</div>`;
}

/** What people said they got, on an instrument of its own. */
function experienced({ desired }: ContextResults): Markup | null {
  const models = Object.entries(desired.experienced);
  return models.length === 0
    ? null
    : markup`<p class="note">People experienced ${models.map(([model, e], i) => markup`${i > 0 ? ", " : ""}${number(e.mean)} with ${model} (n ${count(e.n)})`)}: post-task ratings, not comparable with the bars.</p>`;
}
