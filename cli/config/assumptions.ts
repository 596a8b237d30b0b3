import type { Experiment } from "../../configs/schema/experiment.ts";
import { tokensCap } from "../../configs/schema/stage-settings.ts";
import { judgeTokens, personaTokens } from "../../configs/schema/worst-case.ts";

/** What an estimate takes for granted. Lengths are in tokens unless they say otherwise. */
export interface Assumptions {
  /** Characters that make a token, in prompts and in messages. */
  readonly charactersPerToken: number;
  /** Tokens that an API adds to each message, and to each request. */
  readonly perMessage: number;
  readonly perRequest: number;
  /** The simulated user's message and the teacher's reply, while converse.maxTokens has room for them. */
  readonly userMessage: number;
  readonly reply: number;
  /** Share of evaluate.maxNewTokens that a student's answer uses. */
  readonly studentAnswer: number;
  /** A persona as JSON, and the description in it. */
  readonly persona: number;
  readonly personaProse: number;
  readonly judgement: number;
  /** Share of the personas drawn that the teacher finds implausible, so that another is drawn. */
  readonly implausible: number;
  /** Share of the other answers that a stage's rules refuse, so that they are asked again. */
  readonly refused: number;
  /** Share of a stage's conversations that are not dropped. */
  readonly kept: number;
  /** Share of the input tokens that are paid at the cached price, where one is given. */
  readonly cached: number;
}

/**
 * Measured with the shipped prompts and contexts: lengths on the 4,600 calls of a run of the quickstart, whose teacher is the rehearsal and whose student
 * SmolLM2; implausible personas on 24,000 draws; prompts and messages by SmolLM2's tokenizer. The rehearsal's count of tokens differs from it by less
 * than 5 % on messages, and is a quarter higher on judgements.
 */
export const typical: Assumptions = {
  charactersPerToken: 4.1,
  perMessage: 4,
  perRequest: 3,
  userMessage: 19,
  reply: 29,
  studentAnswer: 0.84,
  persona: 56,
  personaProse: 23,
  judgement: 87,
  implausible: 0.09,
  refused: 0,
  kept: 1,
  cached: 0,
};

/** The least: answers two thirds as long, none asked again, as few conversations kept as a stage may keep, all input at the cached price. */
export const frugal = ({ batch }: Pick<Experiment, "batch">): Assumptions => ({
  ...typical,
  charactersPerToken: 4.7,
  userMessage: 13,
  reply: 19,
  studentAnswer: 0.56,
  persona: 37,
  personaProse: 15,
  judgement: 58,
  implausible: 0,
  kept: batch.minKeptShare,
  cached: 1,
});

/** The most: answers as long as they may be, one in four personas and one in ten other answers asked again. */
export const lavish = ({ converse }: Pick<Experiment, "converse">): Assumptions => ({
  ...typical,
  charactersPerToken: 3.6,
  userMessage: tokensCap(converse),
  reply: tokensCap(converse),
  studentAnswer: 1,
  persona: personaTokens.first,
  personaProse: personaTokens.first,
  judgement: judgeTokens,
  implausible: 0.25,
  refused: 0.1,
});
