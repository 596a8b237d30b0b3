import type { BackboneResults, ContextResults } from "../../../../domain/results.ts";
import { legend, turnChart } from "../charts/turns.ts";
import { armName, estimate, interval, none, number, signed } from "../format.ts";
import { type Markup, markup } from "../markup.ts";
import { table } from "../table.ts";

/** Each arm's level turn by turn, with slopes and whether the level held. */
export function turnsSection(backbones: readonly BackboneResults[]): Markup {
  const arms = [...new Set(backbones.flatMap((b) => b.contexts.flatMap((c) => Object.keys(c.arms))))];
  return markup`<section id="turns"><h2>Turn by turn</h2>
<p class="lead">Does an arm hold its level as the conversation goes on? Bands are 95 % over all turns at once. <b>Holds</b>: the change from first to last turn lies within ±δ; a missing slope alone would not show that.</p>
${legend(arms)}${backbones.map((b) => markup`${backbones.length > 1 ? markup`<h3>${b.backbone}</h3>` : null}<div class="grid">${b.contexts.map(card)}</div>`)}</section>`;
}

function card(context: ContextResults): Markup {
  const arms = Object.entries(context.arms);
  const turns = [...new Set(arms.flatMap(([, r]) => r.perTurn.map((t) => t.turn)))];
  const levels = table(
    ["Turn", ...arms.map(([arm]) => armName(arm))],
    turns.map((turn) => [
      String(turn),
      ...arms.map(([, r]) => {
        const at = r.perTurn.find((t) => t.turn === turn);
        return markup`${number(at?.mean ?? null)} ${interval(at?.ci95 ?? null)}`;
      }),
    ]),
  );
  const change = table(
    ["Arm", "Slope a turn", "First to last", "Holds", "Worst turn", "Slope − Baseline's"],
    arms.map(([arm, r]) => [
      armName(arm),
      estimate(r.slope, signed3),
      estimate(r.change, signed),
      r.change.holds === null ? none : r.change.holds ? markup`<b>yes</b>` : markup`not shown`,
      number(r.worstTurn),
      context.contrast?.slopes[arm] === undefined ? none : estimate(context.contrast.slopes[arm], signed3),
    ]),
  );
  return markup`<div class="card"><h3>${context.title}</h3>${turnChart({ title: context.title, arms: arms.map(([arm, r]) => [arm, r.perTurn] as const), desired: context.desired.mean })}
<details${turns.length <= 8 ? markup` open` : null}><summary>Numbers</summary>${levels}</details><details><summary>Change over turns</summary>${change}</details></div>`;
}

const signed3 = (value: number | null) => signed(value, 3);
