import type { Experiment } from "../../configs/schema/experiment.ts";
import type { ModelRole } from "../../configs/schema/providers.ts";
import type { ResolvedExperiment } from "../../configs/schema/resolved.ts";
import { type Assumptions, typical } from "./assumptions.ts";
import { type Prompted, promptSizes } from "./prompt-sizes.ts";
import type { References } from "./references.ts";

/** What a stage will ask of the providers, and of the student, which costs nothing here. */
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

/** Calls of one kind, with the mean tokens of one. */
interface Calls {
  readonly role: ModelRole;
  readonly count: number;
  readonly input: number;
  readonly output: number;
}

/** Calls, tokens and money by stage over all contexts, arms and backbones: they are as good as what is assumed. */
export function estimateCalls(
  resolved: Prompted & Pick<ResolvedExperiment, "experiment"> & { readonly canaries?: References["canaries"] | undefined },
  assumed: Assumptions = typical,
): readonly StageEstimate[] {
  const { experiment, canaries = [] } = resolved;
  const { converse, steer, evaluate, contexts, backbones } = experiment;
  const { reply, kept } = assumed;
  const asked = kindsOfCalls(assumed);
  const student = assumed.studentAnswer * evaluate.maxNewTokens;
  const pairs = promptSizes(resolved, "pairs", assumed);
  const items = promptSizes(resolved, evaluate.split, assumed);

  const talks = converse.conversations * contexts.length * kept;
  const written = talks * converse.turns;
  const sides = written * kept * 2;
  /** Turns that went before, on average over a conversation. */
  const before = (converse.turns - 1) / 2;
  const { pattern, plain } = pairs.assistant;

  // All arms and backbones meet the same people, who open with the same words: these calls are made once.
  const people = evaluate.conversations * contexts.length * kept;
  const answers = people * evaluate.arms.length * backbones.length;
  const turns = answers * evaluate.turns;
  return [
    total(experiment, assumed, "converse", [
      asked.persona(talks, pairs.persona),
      asked.user(written, before, reply, pairs.user),
      asked.teacher(written, before, plain * converse.plainShare + pattern * (1 - converse.plainShare)),
    ]),
    total(experiment, assumed, "steer", [
      asked.teacher(sides, before, (pattern + plain) / 2),
      asked.judge(sides * steer.judgeRuns, before, reply, pairs.judge),
    ]),
    {
      ...total(experiment, assumed, "evaluate", [
        asked.persona(people, items.persona),
        asked.user(people, 0, student, items.user),
        asked.user(turns - answers, evaluate.turns / 2, student, items.user),
        asked.judge(turns * evaluate.judgeRuns, (evaluate.turns - 1) / 2, student, items.judge),
        asked.judge(canaries.length, 0, reply, items.judge),
      ]),
      studentCalls: Math.round(turns),
    },
  ];
}

/** Tokens of `User: ` or `Assistant: ` before a message that the judge reads. */
const speaker = 2;

/** How each kind of call is made up. `before`: turns that went before; `answer`: tokens of what the user was answered in them. */
function kindsOfCalls({ userMessage, reply, persona, judgement, ...assumed }: Assumptions) {
  const request = (messages: number) => assumed.perRequest + messages * assumed.perMessage;
  const again = (count: number, share: number) => count / (1 - share);
  return {
    persona: (count: number, prompt: number): Calls => ({
      role: "teacher",
      count: again(count, assumed.implausible),
      input: request(2) + prompt,
      output: persona,
    }),
    user: (count: number, before: number, answer: number, prompt: number): Calls => ({
      role: "simulatedUser",
      count: again(count, assumed.refused),
      input: request(2 + 2 * before) + prompt + before * (userMessage + answer),
      output: userMessage,
    }),
    teacher: (count: number, before: number, prompt: number): Calls => ({
      role: "teacher",
      count: again(count, assumed.refused),
      input: request(2 + 2 * before) + prompt + before * (userMessage + reply) + userMessage,
      output: reply,
    }),
    judge: (count: number, before: number, answer: number, prompt: number): Calls => ({
      role: "judge",
      count: again(count, assumed.refused),
      input: request(2) + prompt + before * (userMessage + answer + 2 * speaker) + userMessage + speaker + answer,
      output: judgement,
    }),
  };
}

function total(
  { models, providers }: Experiment,
  { cached }: Assumptions,
  stage: StageEstimate["stage"],
  calls: readonly Calls[],
): StageEstimate {
  const sum = (of: (part: Calls) => number) => calls.reduce((all, part) => all + of(part), 0);
  const prices = calls.map(({ role, count, input, output }) => {
    const { price, provider } = models[role];
    if (providers[provider]?.rehearsal === true) return 0;
    if (price === undefined) return null;
    const read = price.input + ((price.cachedInput ?? price.input) - price.input) * cached;
    return (count * (input * read + output * price.output)) / 1e6;
  });
  return {
    stage,
    calls: Math.round(sum(({ count }) => count)),
    studentCalls: 0,
    inputTokens: Math.round(sum(({ count, input }) => count * input)),
    outputTokens: Math.round(sum(({ count, output }) => count * output)),
    usd: prices.includes(null) ? null : prices.reduce<number>((all, price) => all + (price ?? 0), 0),
  };
}
