import type { Results } from "../../../../domain/results.ts";
import { answeredTable } from "./models.ts";
import { short } from "../format.ts";
import { type Markup, markup } from "../markup.ts";
import { table } from "../table.ts";

/** Where every number comes from: digests, versions, models, recipe, stage records. */
export function provenanceSection(results: Results): Markup {
  const p = results.provenance;
  const rows = (facts: Readonly<Record<string, string | number | boolean | null>>) =>
    Object.entries(facts).map(([key, value]) => [key, markup`<code>${value === null ? "none" : String(value)}</code>`] as const);
  return markup`<section id="provenance"><h2>Provenance</h2><div class="grid">
<div class="card"><h3>Run</h3>${table(["", ""], rows({ experiment: results.experiment, digest: results.digest, "code version": p.codeVersion, seed: p.seed, config: p.config.uri, "config sha256": p.config.sha256 }), { text: [1] })}</div>
<div class="card"><h3>Models</h3>${table(["", ""], rows({ ...p.models, ...Object.fromEntries(Object.entries(p.weights).map(([id, sha]) => [`${id} weights`, short(sha)])) }), { text: [1] })}</div>
<div class="card"><h3>Recipe <span class="ci">declared by this project, not the paper's</span></h3>${table(["", ""], rows(p.recipe), { text: [1] })}</div>
<div class="card"><h3>Inputs</h3>${table(["", ""], rows(Object.fromEntries(Object.entries(p.inputs).map(([name, digest]) => [name, short(digest)]))), { text: [1] })}</div></div>
<div class="card" style="margin-top:18px"><h3>Models that answered <span class="ci">by the ledger, with the providers' fingerprints</span></h3>${answeredTable(p.answered ?? [])}</div>
<details class="card" style="margin-top:18px"><summary>Stage records (${p.stages.length})</summary>${table(
    ["Record", "Made at", "Code", "Outputs"],
    p.stages.map((s) => [
      s.key,
      s.at,
      markup`<code>${short(s.codeVersion)}</code>`,
      markup`${Object.entries(s.outputs).map(([name, sha]) => markup`${name} <code>${short(sha)}</code> `)}`,
    ]),
    { text: [1, 2, 3] },
  )}</details>
<h3 style="margin-top:24px">How the intervals are made</h3>
<p>Inference is on signed gaps; absolute values are folded for display. Where a split holds fewer than 12 scenario families, families are taken as fixed, conversations are the sample, and intervals are Student's t stratified by family; from 12 on, a studentised bootstrap over families and then conversations. Ratios by Fieller, not shown where the denominator cannot be told from 0. Contexts are Holm-corrected. Where more than 5 % of an arm's turns have no score, worst-case bounds are too far apart and the gap is not estimable. Targets are taken as known. Desired (1–3) and achieved (1–5) scales are linked by the recipe's <code>link</code>, a choice of this project; no other link was tried beside it.</p></section>`;
}
