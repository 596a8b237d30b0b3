import type { Experiment } from "../../configs/schema/experiment.ts";
import type { ModelRole } from "../../configs/schema/providers.ts";
import type { ResolvedExperiment } from "../../configs/schema/resolved.ts";

/** What a stage will ask of the providers if no sample is refused, and of the student, which costs nothing here. */
export interface StageEstimate {
  readonly stage: "converse" | "steer" | "evaluate";
  /** Calls of teacher, simulated user and judge. */
  readonly calls: number;
  readonly studentCalls: number;
  readonly inputTokens: number;
  readonly outputTokens: number;
  /** null: a price is unknown. */
  readonly usd: number | null;
}

/** What an estimate takes for granted. */
export interface Assumptions {
  /** Tokens of a chat message, as people and models write them. */
  readonly messageTokens: number;
  readonly judgementTokens: number;
  /** Share of the samples that a stage's rules refuse, so that they are asked again. */
  readonly refused: number;
}

/** Measured on written conversations. */
export const typical: Assumptions = { messageTokens: 40, judgementTokens: 120, refused: 0 };
/** Short answers, none refused; and answers that use up what they may, one in ten refused. */
export const frugal: Assumptions = { messageTokens: 28, judgementTokens: 90, refused: 0 };
export const lavish = (maxTokens: number): Assumptions => ({ messageTokens: maxTokens, judgementTokens: 200, refused: 0.1 });

const personaTokens = 70;
const charactersPerToken = 4;

interface Calls {
  readonly role: ModelRole;
  readonly count: number;
  readonly input: number;
  readonly output: number;
}

/** Calls and tokens by stage over all contexts, arms and backbones; tokens are an estimate, calls are exact while no sample is refused. */
export function estimateCalls(
  { experiment, prompts, rubric }: Pick<ResolvedExperiment, "experiment" | "prompts" | "rubric">,
  { messageTokens, judgementTokens, refused }: Assumptions = typical,
): readonly StageEstimate[] {
  const { converse, steer, evaluate, contexts, backbones } = experiment;
  const tokens = (text: string) => Math.ceil(text.length / charactersPerToken);
  const prompt = (...names: string[]) => names.reduce((sum, name) => sum + tokens(prompts[name] ?? ""), 0);
  const user = prompt("simulated-user", "simulated-user-reminder") + personaTokens;
  const assistant = prompt("assistant", "style-pattern");
  const judge = tokens(rubric) + prompt("judge-task");
  /** Input of one call a turn, history growing by two messages a turn. */
  const walked = (fixed: number, turns: number) => turns * fixed + messageTokens * turns * (turns - 1);
  const conversations = converse.conversations * contexts.length;
  const items = evaluate.conversations * contexts.length * evaluate.arms.length * backbones.length;

  const converseCalls: Calls[] = [
    { role: "teacher", count: conversations, input: prompt("persona", "persona-fields"), output: personaTokens },
    {
      role: "simulatedUser",
      count: conversations * converse.turns,
      input: walked(user, converse.turns) / converse.turns,
      output: messageTokens,
    },
    {
      role: "teacher",
      count: conversations * converse.turns,
      input: walked(assistant, converse.turns) / converse.turns,
      output: messageTokens,
    },
  ];
  const steered = conversations * converse.turns * 2;
  const steerCalls: Calls[] = [
    { role: "teacher", count: steered, input: walked(assistant, converse.turns) / converse.turns, output: messageTokens },
    {
      role: "judge",
      count: steered * steer.judgeRuns,
      input: walked(judge, converse.turns) / converse.turns,
      output: judgementTokens,
    },
  ];
  const turns = items * evaluate.turns;
  // All arms and backbones meet the same people, who open with the same words: these calls are made once.
  const people = evaluate.conversations * contexts.length;
  const evaluateCalls: Calls[] = [
    { role: "teacher", count: people, input: prompt("persona", "persona-fields"), output: personaTokens },
    {
      role: "simulatedUser",
      count: people + turns - items,
      input: walked(user, evaluate.turns) / evaluate.turns,
      output: messageTokens,
    },
    {
      role: "judge",
      count: turns * evaluate.judgeRuns,
      input: walked(judge, evaluate.turns) / evaluate.turns,
      output: judgementTokens,
    },
  ];
  const again = (calls: readonly Calls[]) => calls.map((part) => ({ ...part, count: Math.ceil(part.count / (1 - refused)) }));
  return [
    sum("converse", again(converseCalls), 0, experiment),
    sum("steer", again(steerCalls), 0, experiment),
    sum("evaluate", again(evaluateCalls), turns, experiment),
  ];
}

function sum(
  stage: StageEstimate["stage"],
  calls: readonly Calls[],
  studentCalls: number,
  { models, providers }: Experiment,
): StageEstimate {
  const total = (of: (part: Calls) => number) => calls.reduce((all, part) => all + of(part), 0);
  const prices = calls.map(({ role, count, input, output }) => {
    const { price, provider } = models[role];
    if (providers[provider]?.rehearsal === true) return 0;
    return price === undefined ? null : (count * (input * price.input + output * price.output)) / 1e6;
  });
  return {
    stage,
    calls: total(({ count }) => count),
    studentCalls,
    inputTokens: Math.round(total(({ count, input }) => count * input)),
    outputTokens: Math.round(total(({ count, output }) => count * output)),
    usd: prices.includes(null) ? null : prices.reduce<number>((all, price) => all + (price ?? 0), 0),
  };
}
