import type { Sample, SampleTurn } from "../../../../domain/account.ts";
import { colour } from "../charts/bar.ts";
import { armName, number } from "../format.ts";
import { type Markup, markup } from "../markup.ts";

/** The same item in every arm, side by side. Each arm drives its own conversation, so users differ after the first turn. */
export function samplesSection(samples: readonly Sample[], titles: ReadonlyMap<string, string>): Markup {
  const contexts = [...Map.groupBy(samples, (s) => s.context)];
  return markup`<section id="samples"><h2>Conversations side by side</h2>
<p class="lead">The first items of each context in the config's order, not chosen. Below each reply: the generic score and the judged level.</p>
${contexts.length === 0 ? markup`<p class="none">No item was answered by any arm.</p>` : null}
${contexts.map(([context, items], i) => markup`<div class="card" style="margin-bottom:14px"><h3>${titles.get(context) ?? context}</h3>${items.map((s, j) => talk(s, i === 0 && j === 0))}</div>`)}</section>`;
}

function talk(sample: Sample, open: boolean): Markup {
  const arms = Object.entries(sample.arms);
  return markup`<details${open ? markup` open` : null}><summary>${sample.unit} <span class="who">${sample.family}, ${sample.backbone}</span></summary>
<p class="who">${sample.persona}${sample.desired === null ? null : markup` Wants a level of ${number(sample.desired)}; no arm was told.`}</p>
<div class="talks" style="--n:${arms.length}">${arms.map(([arm, turns]) => markup`<div class="talk" style="--c:${colour(arm)}"><h4>${armName(arm)}</h4>${turns.map(turn)}</div>`)}</div></details>`;
}

function turn(t: SampleTurn): Markup {
  return markup`<div class="said user">${t.user}</div><div class="said reply">${t.reply === "" ? markup`<span class="none">(empty reply)</span>` : t.reply}<small>score ${number(t.score)} · judge ${number(t.judged)}</small></div>`;
}
