import type { Experiment } from "../../configs/schema/experiment.ts";
import type { StageEstimate } from "../config/call-estimate.ts";
import { costsNothing } from "../config/money.ts";
import { count, money, table } from "./table.ts";

/** Calls, tokens and money by stage, before anything is started. */
export function estimateText(estimate: readonly StageEstimate[], experiment: Experiment, done: readonly string[]): string {
  const free = costsNothing(experiment);
  const rows = estimate.map(({ stage, calls, studentCalls, inputTokens, outputTokens, usd }) => [
    stage,
    count(calls),
    studentCalls === 0 ? "" : count(studentCalls),
    about(inputTokens),
    about(outputTokens),
    free ? "free" : money(usd),
  ]);
  const total = (of: (stage: StageEstimate) => number) => estimate.reduce((sum, stage) => sum + of(stage), 0);
  const { stages = {}, ...whole } = experiment.budget;
  const caps = [
    ...capsText(whole, " (those of students count too)"),
    ...Object.entries(stages).flatMap(([stage, cap]) => capsText(cap ?? {}).map((text) => `${text} of ${stage}`)),
  ];
  return [
    table([
      ["stage", "calls", "student calls", "tokens in", "tokens out", "cost"],
      ...rows,
      [
        "in all",
        count(total((s) => s.calls)),
        count(total((s) => s.studentCalls)),
        about(total((s) => s.inputTokens)),
        about(total((s) => s.outputTokens)),
        free ? "free" : money(estimate.some(({ usd }) => usd === null) ? null : total((s) => s.usd ?? 0)),
      ],
    ]),
    `Tokens are estimated. ${caps.length === 0 ? "No budget is set." : `The run holds at ${caps.join(" or ")}.`} Calls that are recorded already are not made again.`,
    ...(done.length === 0 ? [] : [`Done already: ${done.join(", ")}.`]),
    "",
  ].join("\n");
}

const capsText = ({ maxCalls, maxCostUsd }: { maxCalls?: number | undefined; maxCostUsd?: number | undefined }, calls = "") => [
  ...(maxCalls === undefined ? [] : [`${count(maxCalls)} calls${calls}`]),
  ...(maxCostUsd === undefined ? [] : [`$${maxCostUsd}`]),
];

const about = (tokens: number) => (tokens >= 10_000 ? `~${count(Math.round(tokens / 1000))} k` : `~${count(tokens)}`);
