import type { Progress, StageProgress } from "../../contract/experiment.ts";
import type { Snapshot } from "../server/watch.ts";
import { count, duration, money, table } from "./table.ts";

const marks = { waiting: "·", running: "▸", done: "✓", reused: "✓", failed: "✗" } as const;

/** Where a run is: a table of its pieces, spend, and what it waits for. */
export function progressText(
  { progress, ...obstacles }: Pick<Snapshot, "progress" | "waitingQueues" | "stuck">,
  { name, now }: { readonly name: string; readonly now: Date },
): string {
  const lines = obstacleLines(obstacles);
  if (progress === null) return lines.join("\n");
  const rows = progress.stages.map((stage) => row(stage, now));
  return [
    table([["", "piece", "", "units", "dropped", "failed", "time"], ...rows], [0, 1, 2]),
    `calls ${count(progress.spend.calls)}${cap(progress.budget.calls)}, re-read ${count(progress.spend.reread)}, cost ${money(progress.spend.usd)}${progress.budget.usd === null ? "" : ` of $${progress.budget.usd}`}`,
    ...(progress.stageBudgets ?? []).map(
      ({ stage, spend, budget }) =>
        `${stage}: calls ${count(spend.calls)}${cap(budget.calls)}${budget.usd === null ? "" : `, cost ${money(spend.usd)} of $${budget.usd}`}`,
    ),
    ...holdLines(progress, name),
    ...lines,
  ].join("\n");
}

/** What keeps a run from moving without anybody having asked for it. */
export function obstacleLines({ waitingQueues, stuck }: Pick<Snapshot, "waitingQueues" | "stuck">): readonly string[] {
  return [
    ...(stuck === null ? [] : [stuckText(stuck)]),
    ...waitingQueues.map((queue) => `No worker polls ${queue}: what needs it waits. Start the workers with \`npx attune dev\`.`),
  ];
}

export function stuckText(stuck: string): string {
  return `Stuck: its workflow code fails (${stuck}), so nothing moves. The control worker's lines say why; it goes on once code that fits runs there.`;
}

/** Why a run stands still and what a person can do; empty when it goes. */
function holdLines({ state, hold }: Pick<Progress, "state" | "hold">, name: string): readonly string[] {
  if (state === "paused") return [`Paused. Go on: npx attune resume ${name}`];
  if (state !== "held" || hold === null) return [];
  return [`Held (${hold.reason}): ${hold.message}`, hold.remedy, `Then go on: npx attune resume ${name}`];
}

function row({ key, state, done, total, dropped, failed, startedAt, endedAt }: StageProgress, now: Date): readonly string[] {
  const seconds =
    startedAt === null ? null : ((endedAt === null ? now.getTime() : Date.parse(endedAt)) - Date.parse(startedAt)) / 1000;
  const none = (value: number) => (value === 0 ? "" : count(value));
  return [
    marks[state],
    key,
    state === "running" ? "" : state,
    total > 1 ? `${count(done)}/${count(total)}` : "",
    none(dropped),
    none(failed),
    seconds === null || state === "reused" ? "" : duration(seconds),
  ];
}

const cap = (calls: number | null) => (calls === null ? "" : ` of ${count(calls)}`);

/** Changes between two looks as plain lines, for logs. */
export function changes(before: Progress | null, after: Progress, name: string): readonly string[] {
  const earlier = new Map(before?.stages.map((stage) => [stage.key, stage]));
  const lines = after.stages.flatMap((stage) => {
    const previous = earlier.get(stage.key);
    const tenth = ({ done, total }: StageProgress) => (total > 1 ? Math.floor((10 * done) / total) : 0);
    const moved = previous?.state !== stage.state || (stage.state === "running" && tenth(stage) !== tenth(previous));
    return moved && stage.state !== "waiting" ? [line(stage)] : [];
  });
  return before?.state !== after.state || before.hold?.reason !== after.hold?.reason
    ? [...lines, ...holdLines(after, name)]
    : lines;
}

function line({ key, state, done, total, dropped, failed, startedAt, endedAt }: StageProgress): string {
  const units = total > 1 ? ` ${count(done)}/${count(total)}` : "";
  const lost = [dropped > 0 ? `${dropped} dropped` : "", failed > 0 ? `${failed} failed` : ""].filter((part) => part !== "");
  const took =
    startedAt !== null && endedAt !== null && state !== "reused"
      ? ` in ${duration((Date.parse(endedAt) - Date.parse(startedAt)) / 1000)}`
      : "";
  return `${key}: ${state}${units}${lost.length === 0 ? "" : ` (${lost.join(", ")})`}${took}`;
}

/** Seconds by stage, from the first start of any of its pieces to the last end: stages overlap. */
export function phaseBudget({
  stages,
}: Pick<Progress, "stages">): readonly { readonly stage: string; readonly seconds: number }[] {
  const spans = new Map<string, { from: number; to: number }>();
  for (const { stage, state, startedAt, endedAt } of stages) {
    if (startedAt === null || endedAt === null || state === "reused") continue;
    const span = spans.get(stage) ?? { from: Infinity, to: 0 };
    spans.set(stage, { from: Math.min(span.from, Date.parse(startedAt)), to: Math.max(span.to, Date.parse(endedAt)) });
  }
  return [...spans].map(([stage, { from, to }]) => ({ stage, seconds: (to - from) / 1000 }));
}
