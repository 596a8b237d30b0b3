import type { UnitStage } from "../../contract/stages.ts";
import type { Experiment } from "./experiment.ts";
import { tokensCap } from "./stage-settings.ts";

/** Persona draws before a unit is dropped: implausible fields are common, four in a row are not. */
export const personaDraws = 4;
/** Limits on a persona's answer: the first, and the largest after answers that were cut. */
export const personaTokens = { first: 300, cap: 1200 } as const;
export const judgeTokens = 400;
/** Answers of a judge that can't be read are asked again until there were so many; then the reply is unscored, with the reason. */
export const judgeSamples = 3;
/** Replies with a known rating that the judge is asked for once a run, each once. */
export const mostCanaries = 6;
/** Of a canary's message and reply, generously. */
const canaryTokens = 600;

/** The limit after an answer that was cut by `limit`: a function of what was recorded, so that a replay asks the same. */
export function largerLimit(limit: number, cap: number): number {
  return Math.max(limit, Math.min(2 * limit, cap));
}

/** Calls of one conversation and their tokens, if every call used all it may. Student calls are counted, and cost nothing. */
export interface WorstCase {
  readonly calls: number;
  readonly inputTokens: number;
  readonly outputTokens: number;
}

/** Tokens of prompt and rubric beside the conversation: generous, since they only reserve. */
const promptTokens = 1500;

/** By stage: every answer but the last of a message cut or refused, every message as long as it may be, every judgement asked again. */
export function worstCases({ converse, steer, evaluate }: Experiment): Readonly<Record<UnitStage, WorstCase>> {
  const cap = tokensCap(converse);
  const said = Math.max(cap, evaluate.maxNewTokens);
  const persona = asked(personaDraws, [0], ladder(personaTokens.first, personaTokens.cap, personaDraws));
  const message = (samples: number, histories: readonly number[]) =>
    asked(samples, histories, ladder(converse.maxTokens, cap, samples));
  const judged = (runs: number, histories: readonly number[], samplesEach = judgeSamples) => {
    const samples = runs * samplesEach;
    return asked(
      samples,
      histories,
      Array.from({ length: samples }, () => judgeTokens),
    );
  };
  /** Tokens before each turn's messages: `ahead` is −2 for the user's, −1 for a reply, 0 for its judgement. */
  const histories = (turns: number, ahead: number, longest: number) =>
    Array.from({ length: turns }, (_, i) => (2 * (i + 1) + ahead) * longest);
  const student = { calls: evaluate.turns, inputTokens: 0, outputTokens: 0 };
  return {
    converse: total([
      persona,
      message(converse.sampleLimit, histories(converse.turns, -2, cap)),
      message(converse.sampleLimit, histories(converse.turns, -1, cap)),
    ]),
    steer: total(
      ["pattern", "counter"].flatMap(() => [
        message(steer.sampleLimit, histories(converse.turns, -1, cap)),
        judged(steer.judgeRuns, histories(converse.turns, 0, cap)),
      ]),
    ),
    evaluate: total([
      persona,
      message(evaluate.sampleLimit, histories(evaluate.turns, -2, said)),
      student,
      judged(evaluate.judgeRuns, histories(evaluate.turns, 0, said)),
      // One conversation of a run asks for them, and may be any that runs first.
      judged(
        1,
        Array.from({ length: mostCanaries }, () => canaryTokens),
        1,
      ),
    ]),
  };
}

/** Limits of successive samples, each cut by its own. */
function ladder(first: number, cap: number, samples: number): readonly number[] {
  const limits = [first];
  while (limits.length < samples) limits.push(largerLimit(limits.at(-1) ?? first, cap));
  return limits;
}

/** Something that is asked `samples` times after each history. */
function asked(samples: number, histories: readonly number[], limits: readonly number[]): WorstCase {
  return {
    calls: samples * histories.length,
    inputTokens: samples * sum(histories.map((tokens) => promptTokens + tokens)),
    outputTokens: histories.length * sum(limits),
  };
}

function total(parts: readonly WorstCase[]): WorstCase {
  return {
    calls: sum(parts.map(({ calls }) => calls)),
    inputTokens: sum(parts.map(({ inputTokens }) => inputTokens)),
    outputTokens: sum(parts.map(({ outputTokens }) => outputTokens)),
  };
}

const sum = (values: readonly number[]) => values.reduce((all, value) => all + value, 0);
