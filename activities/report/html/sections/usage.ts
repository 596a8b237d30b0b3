import type { Usage, UsageLine } from "../../../../domain/account.ts";
import { count, dollars } from "../format.ts";
import { type Markup, markup } from "../markup.ts";
import { table } from "../table.ts";

/** Calls, tokens and money by stage and model; the whole ledger folded below. */
export function usageSection(usage: Usage): Markup {
  const cost = usage.costUsd === null ? "unknown, since not every model has a price" : dollars(usage.costUsd);
  const byModel = [...Map.groupBy(usage.rows, (u) => JSON.stringify([u.stage, u.role, u.model])).values()].map(total);
  return markup`<section id="usage"><h2>Usage and cost</h2>
<p class="lead">${count(usage.calls)} calls were answered and ${count(usage.reread)} answers re-read from the call store; ${count(usage.failed)} attempts failed, ${count(usage.wasted)} were answered twice. ${count(usage.inputTokens)} prompt tokens (${count(usage.cachedInputTokens)} cached), ${count(usage.outputTokens)} completion tokens. Cost: <b>${cost}</b>.</p>
<div class="card">${table(
    ["Stage", "Role", "Model", ...sums],
    byModel.map((u) => [u.stage, u.role, u.model, ...numbers(u)]),
    { text: [1, 2] },
  )}
<details><summary>By context and arm (${usage.rows.length})</summary>${table(
    ["Stage", "Context", "Arm", "Role", "Model", ...sums],
    usage.rows.map((u) => [u.stage, u.context || "–", u.arm || "–", u.role, u.model, ...numbers(u)]),
    { text: [1, 2, 3, 4] },
  )}</details></div></section>`;
}

const sums = ["Calls", "Re-read", "Failed", "Wasted", "Prompt tokens", "Completion tokens", "Cost"];
const numbers = (u: UsageLine) => [
  count(u.calls),
  count(u.reread),
  count(u.failed),
  count(u.wasted),
  count(u.inputTokens),
  count(u.outputTokens),
  dollars(u.costUsd),
];

/** One unknown price makes the sum unknown. */
function total(rows: readonly UsageLine[]): UsageLine {
  return rows.reduce((a, b) => ({
    ...a,
    calls: a.calls + b.calls,
    reread: a.reread + b.reread,
    failed: a.failed + b.failed,
    wasted: a.wasted + b.wasted,
    inputTokens: a.inputTokens + b.inputTokens,
    cachedInputTokens: a.cachedInputTokens + b.cachedInputTokens,
    outputTokens: a.outputTokens + b.outputTokens,
    costUsd: a.costUsd === null || b.costUsd === null ? null : a.costUsd + b.costUsd,
  }));
}
