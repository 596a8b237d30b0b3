import type { Experiment } from "../../configs/schema/experiment.ts";
import type { PlannedStage } from "../commands/plan.ts";
import { count, money, table } from "./table.ts";

interface Planned {
  readonly workflowId: string;
  /** The earlier run that it only adds to. */
  readonly extended: string | null;
  readonly stages: readonly PlannedStage[];
  readonly reused: readonly string[];
  readonly made: readonly string[];
  readonly budget: Experiment["budget"];
  readonly free: boolean;
}

const thousands = (tokens: number) => (tokens >= 10_000 ? `${count(Math.round(tokens / 1000))} k` : count(tokens));

/** Calls left by stage, with tokens and money at their least, as measured and at their most. */
export function planText({ workflowId, extended, stages, reused, made, budget, free }: Planned): string {
  const range = (of: (amount: PlannedStage["mid"]) => string) => (stage: PlannedStage) =>
    [stage.low, stage.mid, stage.high].map(of).join(" · ");
  const tokens = range(({ inputTokens, outputTokens }) => thousands(inputTokens + outputTokens));
  const cost = range(({ usd }) => money(usd));
  const rows = stages.map((stage) => [
    stage.stage,
    `${count(stage.done)}/${count(stage.units)}`,
    count(stage.callsLeft),
    stage.studentCalls === 0 ? "" : count(stage.studentCalls),
    tokens(stage),
    free ? "free" : cost(stage),
  ]);
  const reread = stages.reduce((sum, stage) => sum + stage.reread, 0);
  const calls = stages.reduce((sum, { callsLeft }) => sum + callsLeft, 0);
  const most = stages.reduce<number | null>((sum, { high }) => (sum === null || high.usd === null ? null : sum + high.usd), 0);
  const short = [
    ...stages.flatMap(({ stage, callsLeft, studentCalls, high }) => {
      const cap = budget.stages?.[stage];
      const left = callsLeft + studentCalls;
      return [
        ...(cap?.maxCalls !== undefined && cap.maxCalls < left
          ? [
              `budget.stages.${stage}.maxCalls ${count(cap.maxCalls)} is less than the ${count(left)} calls left: the run will hold.`,
            ]
          : []),
        ...(cap?.maxCostUsd !== undefined && high.usd !== null && cap.maxCostUsd < high.usd
          ? [
              `budget.stages.${stage}.maxCostUsd $${cap.maxCostUsd} is less than the most it may cost (${money(high.usd)}): the run may hold.`,
            ]
          : []),
      ];
    }),
    ...(budget.maxCalls !== undefined && budget.maxCalls < calls + stages.reduce((sum, s) => sum + s.studentCalls, 0)
      ? [`budget.maxCalls ${count(budget.maxCalls)} (students' calls count too) is less than what is left: the run will hold.`]
      : []),
    ...(budget.maxCostUsd !== undefined && most !== null && budget.maxCostUsd < most
      ? [`budget.maxCostUsd $${budget.maxCostUsd} is less than the most it may cost (${money(most)}): the run may hold.`]
      : []),
  ];
  return [
    `${workflowId} would make:`,
    table([["stage", "done", "calls left", "student calls", "tokens low · mid · high", "cost low · mid · high"], ...rows], [0]),
    "Middle: answers as long as the rehearsal's. Low: two thirds of that, none asked again, input at the cached price. High: answers as long as they may be, one in ten asked again; --json shows every assumption.",
    "Recorded calls are never made again.",
    ...short,
    ...(extended === null || reread === 0
      ? []
      : [`It extends ${extended}: calls of ${count(reread)} conversations are read again and not counted above.`]),
    reused.length === 0 ? "Nothing is there to reuse." : `Reused: ${reused.join(", ")}.`,
    made.length === 0 ? "Nothing is left to make." : `To make: ${made.join(", ")}.`,
  ].join("\n");
}
