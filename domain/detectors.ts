import type { Turn } from "./transcript.ts";
import { words } from "./text-measures.ts";

/** Why a simulated user's message is not one that the person would write; counted by these names. */
export type Fault =
  "empty" | "truncated" | "malformed" | "offers-help" | "list" | "thank-loop" | "near-copy" | "advice" | "says-it-is-ai";

/** Which detectors are on, as the experiment's `fidelity` says. */
export interface Detectors {
  readonly offersHelp: boolean;
  readonly lists: boolean;
  readonly thankLoop: boolean;
  readonly nearCopy: boolean;
  readonly advice: boolean;
  readonly saysItIsAi: boolean;
}

const offersHelp =
  /\b(?:i'?m|i am|i'?ll be) (?:always )?here (?:for|to help|if you)|\b(?:how|what) (?:can|may) i (?:help|assist|do for) you|\blet me know (?:if there'?s anything|(?:if|how) i can)\b|\bhappy to (?:help|assist)\b|\bfeel free to\b/i;
const list = /^\s*(?:[-*•]|\d+[.)]|#{1,6})\s/m;
const advice =
  /\b(?:you (?:should|could try|might want to|need to|ought to)|have you (?:tried|considered)|try to (?:focus|take|make)|i (?:suggest|recommend|'d suggest|would suggest)|make sure (?:to|you))\b/i;
const saysItIsAi =
  /\b(?:as an? (?:ai|assistant|language model)|i(?:'m| am) (?:an? )?(?:ai|artificial intelligence|language model|chatbot|virtual assistant))\b/i;
const thanks = /\b(?:thank(?:s| you)|appreciate (?:it|that|you))\b/i;

/** JSON or a web page where a person's words were asked for: its beginning, since it may be cut. */
const machine = /^\s*(?:```\w*\s*)?(?:\{\s*["}]|\[\s*(?:\{|"[^"]*"\s*(?:,|\]\s*$)|\]\s*$)|<(?:!doctype|\?xml|html|head|body)\b)/i;

/** Whether a message is what a program writes, not a person or an assistant. */
export function isMalformed(text: string): boolean {
  return machine.test(text);
}

/** Share of common words at which two messages count as copies (Jaccard). */
const copyShare = 0.8;

/** The first fault of a simulated user's message, given the conversation so far; null when there is none. */
export function userFault(text: string, turns: readonly Turn[], on: Detectors): Fault | null {
  const own = turns.filter((turn) => turn.speaker === "user").map((turn) => turn.text);
  const last = own.at(-1);
  if (text.trim() === "") return "empty";
  if (isMalformed(text)) return "malformed";
  if (on.saysItIsAi && saysItIsAi.test(text)) return "says-it-is-ai";
  if (on.offersHelp && offersHelp.test(text)) return "offers-help";
  if (on.lists && list.test(text)) return "list";
  if (on.thankLoop && last !== undefined && thanks.test(text) && thanks.test(last)) return "thank-loop";
  if (on.advice && advice.test(text)) return "advice";
  if (on.nearCopy && turns.some((turn) => similarity(turn.text, text) >= copyShare)) return "near-copy";
  return null;
}

/** Jaccard index of the two texts' word sets, 0–1. */
export function similarity(a: string, b: string): number {
  const left = new Set(words(a));
  const right = new Set(words(b));
  const common = [...left].filter((word) => right.has(word)).length;
  const all = left.size + right.size - common;
  return all === 0 ? 1 : common / all;
}
