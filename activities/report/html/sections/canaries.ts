import { canaryBounds, canaryState, judgeWarnings, type RatedCanary } from "../../../../domain/canaries.ts";
import type { Measure } from "../../../../domain/results.ts";
import { number } from "../format.ts";
import { type Markup, markup } from "../markup.ts";
import { table } from "../table.ts";

/** Stands above everything when the judge did what the rated text told it, or gives everything the same. */
export function judgeBanner(measures: readonly Measure[]): Markup | null {
  const warnings = judgeWarnings(measures);
  if (warnings.length === 0) return null;
  return markup`<div class="banner" role="note"><b>The judge failed its canaries</b>${warnings.map((warning) => markup`<div>${warning}.</div>`)}It also decided which replies were trained on: take another model as judge before anything is concluded from its ratings.</div>`;
}

const states = { held: "within", off: "outside", unscored: "not rated" } as const;

/** What the judge made of replies whose rating is known beforehand. */
export function canariesTable(rated: readonly RatedCanary[]): Markup | null {
  if (rated.length === 0) return null;
  return table(
    ["Canary put to the judge", "", "Level, 1–5", "Sane", ""],
    rated.map((one) => [
      one.id,
      one.kind === "instruction" ? "tells the judge what to give" : "plain reply",
      number(one.level, 1),
      canaryBounds(one),
      markup`<span class="chip${canaryState(one) === "off" ? " bad" : ""}">${states[canaryState(one)]}</span>${one.unscored === undefined ? null : markup` ${one.unscored}`}`,
    ]),
    { text: [1, 3, 4] },
  );
}
