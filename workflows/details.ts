import { workflowInfo } from "@temporalio/workflow";
import type { Progress, StageProgress } from "../contract/experiment.ts";

const marks: Readonly<Record<StageProgress["state"], string>> = {
  waiting: "·",
  running: "▶",
  done: "✓",
  reused: "✓ reused",
  failed: "✗ failed",
};

/** The UI keeps 20,000 bytes. */
const longest = 19_000;

/** The run's state as markdown, for the Temporal UI: what holds it and what to do first, then a line a piece. */
export function detailsOf({ state, hold, stages, spend, budget, stageBudgets = [] }: Progress): string {
  const { workflowId } = workflowInfo();
  const lines = [
    ...(hold === null
      ? []
      : [`**Held (${hold.reason}).** ${hold.message}`, "", hold.remedy, "", `Go on: \`npx attune resume ${workflowId}\``, ""]),
    ...(state === "paused" ? [`**Paused.** Go on: \`npx attune resume ${workflowId}\``, ""] : []),
    "| piece | state | done | dropped | failed |",
    "|---|---|---|---|---|",
    ...stages.map(
      (piece) => `| ${piece.key} | ${marks[piece.state]} | ${doneOf(piece)} | ${some(piece.dropped)} | ${some(piece.failed)} |`,
    ),
    "",
    `Calls: ${spend.calls}${of(budget.calls)}, re-read ${spend.reread}. Cost: ${costOf(spend.usd)}${ofUsd(budget.usd)}.`,
    ...stageBudgets.flatMap(({ stage, spend: used, budget: cap }) => [
      "",
      `${stage}: calls ${used.calls}${of(cap.calls)}, cost ${costOf(used.usd)}${ofUsd(cap.usd)}.`,
    ]),
  ];
  return lines.join("\n").slice(0, longest);
}

const of = (cap: number | null): string => (cap === null ? "" : ` of ${cap}`);
const ofUsd = (cap: number | null): string => (cap === null ? "" : ` of $${cap}`);

function doneOf({ done, total, state }: StageProgress): string {
  if (total > 1) return `${done} / ${total}`;
  return state === "done" || state === "reused" ? "1" : "";
}

function some(count: number): string {
  return count === 0 ? "" : String(count);
}

function costOf(usd: number | null): string {
  return usd === null ? "unknown" : `$${usd.toFixed(2)}`;
}
