import type { TurnResult } from "../../../../domain/results.ts";
import { armName } from "../format.ts";
import { type Markup, markup } from "../markup.ts";
import { colour } from "./bar.ts";

const box = { left: 34, right: 432, top: 10, bottom: 190 };
const dashes: Readonly<Record<string, string>> = { system_prompt: "7 4", wrong_adapter: "2 4" };

/** Mean level over turns: one line an arm with its simultaneous band, and the desired level. Missing turns break the line. */
export function turnChart({
  title,
  arms,
  desired,
}: {
  title: string;
  arms: readonly (readonly [string, readonly TurnResult[]])[];
  desired: number | null;
}): Markup {
  const turns = Math.max(1, ...arms.flatMap(([, points]) => points.map((p) => p.turn)));
  const x = (turn: number) =>
    (turns === 1 ? (box.left + box.right) / 2 : box.left + ((box.right - box.left - 20) * (turn - 1)) / (turns - 1) + 10).toFixed(
      1,
    );
  const y = (v: number) => (box.bottom - (box.bottom - box.top) * Math.min(1, Math.max(0, v))).toFixed(1);
  const every = Math.ceil(turns / 10);
  return markup`<svg viewBox="0 0 440 226" role="img" aria-label="${title}: mean level over turns by arm">
${[0, 0.25, 0.5, 0.75, 1].map((v) => markup`<line class="axis" x1="${box.left}" x2="${box.right}" y1="${y(v)}" y2="${y(v)}"/><text x="${box.left - 6}" y="${Number(y(v)) + 4}" text-anchor="end">${v}</text>`)}
${Array.from({ length: turns }, (_, i) => i + 1)
  .filter((t) => (t - 1) % every === 0)
  .map((t) => markup`<text x="${x(t)}" y="207" text-anchor="middle">${t}</text>`)}
<text x="${(box.left + box.right) / 2}" y="223" text-anchor="middle">turn</text>
${desired === null ? null : markup`<line class="desired" x1="${box.left}" x2="${box.right}" y1="${y(desired)}" y2="${y(desired)}" stroke-opacity=".85"/><text class="strong" x="${box.right}" y="${Number(y(desired)) - 5}" text-anchor="end">desired</text>`}
${arms.map(([arm, points]) => band(arm, points, x, y))}
${arms.map(([arm, points]) => line(arm, points, x, y))}</svg>`;
}

type Scale = (value: number) => string;

function band(arm: string, points: readonly TurnResult[], x: Scale, y: Scale): Markup[] {
  return runs(points.filter((p) => p.ci95 !== null))
    .filter((run) => run.length > 1)
    .map((run) => {
      const upper = run.map((p) => `${x(p.turn)} ${y(p.ci95?.[1] ?? 0)}`);
      const lower = run.toReversed().map((p) => `${x(p.turn)} ${y(p.ci95?.[0] ?? 0)}`);
      return markup`<polygon points="${[...upper, ...lower].join(" ")}" fill="${colour(arm)}" fill-opacity=".12"/>`;
    });
}

function line(arm: string, points: readonly TurnResult[], x: Scale, y: Scale): Markup {
  const known = points.filter((p) => p.mean !== null);
  return markup`<g stroke="${colour(arm)}" fill="${colour(arm)}">${runs(known).map(
    (run) =>
      markup`<polyline points="${run.map((p) => `${x(p.turn)} ${y(p.mean ?? 0)}`).join(" ")}" fill="none" stroke-width="2.4" stroke-linejoin="round" stroke-dasharray="${dashes[arm] ?? "none"}"/>`,
  )}${known.map((p) => markup`<g transform="translate(${x(p.turn)} ${y(p.mean ?? 0)})">${marker(arm)}</g>`)}</g>`;
}

/** Points whose turns follow one another. */
function runs(points: readonly TurnResult[]): TurnResult[][] {
  const out: TurnResult[][] = [];
  for (const point of points) {
    const last = out.at(-1);
    if (last?.at(-1)?.turn === point.turn - 1) last?.push(point);
    else out.push([point]);
  }
  return out;
}

/** Shapes tell arms apart without colour. */
function marker(arm: string): Markup {
  if (arm === "system_prompt") return markup`<rect x="-3.6" y="-3.6" width="7.2" height="7.2" stroke="none"/>`;
  if (arm === "adapter") return markup`<path d="M0 -5L5 0L0 5L-5 0z" stroke="none"/>`;
  if (arm === "wrong_adapter") return markup`<path d="M0 -4.6L4.4 3.6H-4.4z" stroke="none"/>`;
  return markup`<circle r="3.8" stroke="none"/>`;
}

/** Names of arms beside their line and shape. */
export function legend(arms: readonly string[]): Markup {
  return markup`<ul class="legend">${arms.map(
    (arm) =>
      markup`<li><svg viewBox="0 0 26 12" aria-hidden="true"><g stroke="${colour(arm)}" fill="${colour(arm)}"><line x1="0" x2="26" y1="6" y2="6" stroke-width="2.4" stroke-dasharray="${dashes[arm] ?? "none"}"/><g transform="translate(13 6)">${marker(arm)}</g></g></svg>${armName(arm)}</li>`,
  )}<li><svg viewBox="0 0 26 12" aria-hidden="true"><line class="desired" x1="0" x2="26" y1="6" y2="6"/></svg>Desired</li></ul>`;
}
