import type { ContextData, Tally } from "../../../../domain/account.ts";
import { piiText } from "../../../../domain/pii.ts";
import { count } from "../format.ts";
import { type Markup, markup } from "../markup.ts";
import { table } from "../table.ts";

/** Conversations and pairs: asked, kept, dropped by reason. */
export function dataSection(data: readonly ContextData[], titles: ReadonlyMap<string, string>): Markup {
  return markup`<section id="data"><h2>Training data</h2><p class="lead">Every conversation and pair that was asked for is kept or dropped with a reason.</p>
<div class="grid">${data.map((d) => markup`<div class="card"><h3>${titles.get(d.context) ?? d.context}</h3>${tally("Conversations", d.conversations)}${tally("Pairs", d.pairs)}</div>`)}</div></section>`;
}

function tally(name: string, t: Tally | null): Markup {
  if (t === null) return markup`<p class="none">${name}: no record.</p>`;
  const dropped = Object.values(t.dropped).reduce((sum, n) => sum + n, 0);
  const total = Math.max(1, t.kept + dropped);
  return markup`<div><b>${name}</b>: ${count(t.kept)} kept of ${count(t.asked ?? t.kept + dropped)}, ${count(dropped)} dropped
<div class="stack" role="img" aria-label="${t.kept} kept, ${dropped} dropped"><i class="kept" style="width:${((100 * t.kept) / total).toFixed(1)}%"></i><i class="dropped" style="width:${((100 * dropped) / total).toFixed(1)}%"></i></div>
${keptBy(t)}${t.pii === undefined ? null : markup`<p>Text that looks personal: ${piiText(t.pii)}.</p>`}${
    dropped === 0
      ? null
      : table(
          ["Left out because", "n"],
          Object.entries(t.dropped)
            .filter(([, n]) => n > 0)
            .toSorted((a, b) => b[1] - a[1])
            .map(([reason, n]) => [reason, count(n)]),
        )
  }</div>`;
}

/** What the rejected replies of the kept pairs were. */
function keptBy({ keptBy: kinds = {} }: Tally): Markup | null {
  const named = Object.entries(kinds).filter(([, n]) => n > 0);
  if (named.length === 0) return null;
  return markup`<p>Kept: ${named.map(([kind, n]) => `${n} ${kind.replace("rejects-", "reject a reply that is ")}`).join(", ")}.</p>`;
}
