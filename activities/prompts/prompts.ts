import type { PatternCard } from "../../configs/schema/context.ts";
import type { ResolvedExperiment } from "../../configs/schema/resolved.ts";
import type { Persona, PersonaFields } from "../../domain/personas.ts";
import { fill } from "../../domain/template.ts";
import { projectFor, renderTranscript, type Turn } from "../../domain/transcript.ts";
import type { ChatMessage } from "../../platform/llm/client.ts";

/** How the assistant is to answer: to the pattern, plainly, or over-warm. */
export type Style = "pattern" | "plain" | "over-warm";

/** Levels that the counter-steered styles name, 0–1. */
const plainLevel = 0.05;
const overWarmLevel = 1;

type Prompts = Pick<ResolvedExperiment, "prompts" | "rubric">;

function template({ prompts }: Prompts, name: string): string {
  const text = prompts[name];
  if (text === undefined) throw new Error(`configs/prompts has no ${name}.md`);
  return text;
}

const bullets = (lines: readonly string[]) => lines.map((line) => `- ${line}`).join("\n");

export function personaMessages(config: Prompts, fields: PersonaFields, situation: string): ChatMessage[] {
  return [
    { role: "system", content: fill(template(config, "persona"), {}) },
    { role: "user", content: fill(template(config, "persona-fields"), { ...fields, age: String(fields.age), situation }) },
  ];
}

/** The simulated user's view: its own turns as `assistant`, the other's as `user`, with a short reminder under the last message. */
export function userMessages(config: Prompts, persona: Persona, situation: string, turns: readonly Turn[]): ChatMessage[] {
  const system = fill(template(config, "simulated-user"), { name: persona.name, prose: persona.prose, manner: persona.manner, situation });
  const opening: ChatMessage = { role: "user", content: fill(template(config, "simulated-user-opening"), {}) };
  const reminder = fill(template(config, "simulated-user-reminder"), { name: persona.name });
  const seen = [opening, ...projectFor("user", turns)];
  return [{ role: "system", content: system }, ...seen.map((message, i) => (i === seen.length - 1 ? { ...message, content: `${message.content}\n\n${reminder}` } : message))];
}

/** The teacher as assistant, told how warm to be. */
export function assistantMessages(config: Prompts, card: PatternCard, style: Style, turns: readonly Turn[]): ChatMessage[] {
  const level = style === "pattern" ? card.target : style === "plain" ? plainLevel : overWarmLevel;
  const styleText = style === "pattern" ? fill(template(config, "style-pattern"), cardSlots(card)) : fill(template(config, `style-${style}`), {});
  const system = fill(template(config, "assistant"), { title: card.title, level: level.toFixed(2), style: styleText });
  return [{ role: "system", content: system }, ...projectFor("assistant", turns)];
}

/** The system message of every arm but System Prompt, and of every training row. */
export function baselineSystem(config: Prompts): ChatMessage {
  return { role: "system", content: fill(template(config, "baseline"), {}) };
}

/** The pattern card as a system message: the System Prompt arm. */
export function systemPromptArm(config: Prompts, card: PatternCard): ChatMessage {
  return { role: "system", content: fill(template(config, "system-prompt-arm"), { ...cardSlots(card), title: card.title, level: card.target.toFixed(2) }) };
}

/** The judge sees text only: no arm, level or target. */
export function judgeMessages(config: Prompts, history: readonly Turn[], reply: string): ChatMessage[] {
  const task = fill(template(config, "judge-task"), { conversation: renderTranscript(history), reply: reply.replaceAll(/<\/?(?:reply|conversation)>/gi, "") });
  return [
    { role: "system", content: config.rubric.trim() },
    { role: "user", content: task },
  ];
}

function cardSlots(card: PatternCard): Record<string, string> {
  return {
    do: bullets(card.do),
    avoid: bullets(card.avoid),
    exampleUser: card.example.user,
    exampleFitting: card.example.fitting,
  };
}
