import type { Results } from "../../../domain/results.ts";
import { short } from "./format.ts";
import { Markup, markup } from "./markup.ts";
import { judgeBanner } from "./sections/canaries.ts";
import { dataSection } from "./sections/data.ts";
import { distributionsSection } from "./sections/distributions.ts";
import { gapsSection } from "./sections/gaps.ts";
import { headlineSection } from "./sections/headline.ts";
import { levelsSection } from "./sections/levels.ts";
import { measuresSection } from "./sections/measures.ts";
import { modelsBanner } from "./sections/models.ts";
import { provenanceSection } from "./sections/provenance.ts";
import { samplesSection } from "./sections/samples.ts";
import { turnsSection } from "./sections/turns.ts";
import { usageSection } from "./sections/usage.ts";
import { style } from "./style.ts";

const parts = [
  ["levels", "Levels"],
  ["gaps", "Gaps"],
  ["turns", "Turn by turn"],
  ["distributions", "Distributions"],
  ["data", "Training data"],
  ["samples", "Conversations"],
  ["measures", "Measures"],
  ["usage", "Usage"],
  ["provenance", "Provenance"],
] as const;

/** `report.markup`: one file, opens from disk, asks nothing of the network. A pure function of `results.json`. */
export function reportPage(results: Results): string {
  const titles = new Map(results.backbones.flatMap((b) => b.contexts.map((c) => [c.context, c.title] as const)));
  return markup`<!doctype html>
<html lang="en"><head><meta charset="utf-8"><meta name="viewport" content="width=device-width,initial-scale=1">
<meta http-equiv="Content-Security-Policy" content="default-src 'none'; style-src 'unsafe-inline'; img-src data:">
<title>${results.experiment}: Attune report</title><style>${new Markup(style)}</style></head><body>
<header class="top"><div class="brand">Attune</div><h1>${results.experiment}</h1>
<p class="meta"><span>${results.createdAt.slice(0, 16).replace("T", " ")} UTC</span><span>${results.split} families</span><span>${results.backbones.map((b) => b.baseModel).join(", ") || "no backbone"}</span><span>run <code>${short(results.digest)}</code></span></p>
${results.rehearsal ? markup`<div class="banner" role="note"><b>Rehearsal: not evidence</b>Teacher, simulated user and judge were the offline rehearsal. Training, serving, reward models and evaluation were real. It shows that the pipeline ran and moved a scripted trait on unseen wording; it says nothing about empathy or people.</div>` : null}${modelsBanner(results.provenance.answered ?? [])}${judgeBanner(results.measures)}
<nav aria-label="Parts of this report">${parts.map(([id, name]) => markup`<a href="#${id}">${name}</a>`)}</nav></header>
<main>${headlineSection(results)}${levelsSection(results.backbones)}${gapsSection(results.backbones, results.measures)}${turnsSection(results.backbones)}${distributionsSection(results.backbones)}${dataSection(results.data, titles)}${samplesSection(results.samples, titles)}${measuresSection(results.measures)}${usageSection(results.usage)}${provenanceSection(results)}</main>
<footer>Made by Attune from <code>results.json</code> of run <code>${short(results.digest)}</code>. Levels are 0 to 1.</footer></body></html>
`.text;
}
