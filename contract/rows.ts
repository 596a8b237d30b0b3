import type { Fault } from "../domain/detectors.ts";
import type { Judged } from "../domain/levels.ts";
import type { Persona } from "../domain/personas.ts";
import type { Message, Turn } from "../domain/transcript.ts";
import type { Arm } from "./stages.ts";

/** Rows of the datasets that a run seals: conversations, pairs and evaluations. */

/** A synthetic conversation; turns alternate, the user first. */
export interface ConversationRow {
  readonly unit: string;
  readonly context: string;
  readonly family: string;
  readonly split: string;
  /** True: assistant turns were kept plain, so that an adapter learns to return to the pattern. */
  readonly plain: boolean;
  readonly persona: Persona;
  readonly turns: readonly Turn[];
}

/** How the assistant is to answer: to the pattern; plainly, as an untrained one does; or, as counter-steering, cold or over-warm. */
export type Style = "pattern" | "plain" | "cold" | "over-warm";

/** Two replies to one history, which ends with the user's message. */
export interface PairRow {
  readonly prompt: readonly ChatMessage[];
  readonly chosen: readonly ChatMessage[];
  readonly rejected: readonly ChatMessage[];
  readonly unit: string;
  readonly family: string;
  readonly turn: number;
  /** How the rejected reply was steered. */
  readonly style: Style;
  readonly judge: Sides;
  readonly guide: Sides;
}

interface ChatMessage {
  readonly role: Message["role"] | "system";
  readonly content: string;
}

/** Scores of a pair's two replies; null: that measure took no part. */
export interface Sides {
  readonly chosen: number | null;
  readonly rejected: number | null;
}

/** One conversation of one arm, free-running: the arm drives its own conversation. */
export interface EvaluationRow<EachTurn = EvaluatedTurn> {
  readonly unit: string;
  readonly context: string;
  readonly family: string;
  readonly split: string;
  readonly backbone: string;
  readonly arm: Arm;
  readonly model: string;
  /** Drawn from what people stated; hidden from every arm. */
  readonly desired: number;
  readonly persona: Persona;
  readonly turns: readonly EachTurn[];
}

export interface EvaluatedTurn {
  readonly turn: number;
  readonly user: string;
  /** What a detector found in the message after all samples; null when nothing. */
  readonly userFault: Fault | null;
  readonly reply: string;
  readonly finishReason: string;
  readonly empty: boolean;
  readonly refused: boolean;
  readonly truncated: boolean;
  readonly judged: Judged;
}

/** As it is sealed, with what the reward models make of each reply; null: not scored. */
export type ScoredEvaluationRow = EvaluationRow<
  EvaluatedTurn & { readonly scores: { readonly evaluator: number | null; readonly preference: number | null } }
>;
