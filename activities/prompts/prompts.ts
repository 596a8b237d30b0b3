import type { PatternCard } from "../../configs/schema/context.ts";
import type { ResolvedExperiment } from "../../configs/schema/resolved.ts";
import type { Style } from "../../contract/rows.ts";
import type { Persona, PersonaFields } from "../../domain/personas.ts";
import { fill } from "../../domain/template.ts";
import { projectFor, renderTranscript, type Turn } from "../../domain/transcript.ts";
import type { ChatMessage } from "../../platform/llm/client.ts";
import { badConfig } from "../failures.ts";

/** The other styles: the level they name, 0–1, and their prompt. */
const styles = {
  plain: { level: 0.2, prompt: "style-plain" },
  cold: { level: 0.05, prompt: "style-plain" },
  "over-warm": { level: 1, prompt: "style-over-warm" },
} as const;

type Prompts = Pick<ResolvedExperiment, "prompts" | "rubric">;

/** @throws BadConfig naming the prompt that is missing or has a slot that nothing fills */
function filled({ prompts }: Prompts, name: string, values: Readonly<Record<string, string>> = {}): string {
  const text = prompts[name];
  if (text === undefined) throw badConfig(`The run has no prompt ${name}: configs/prompts/${name}.md`);
  try {
    return fill(text, values);
  } catch (error) {
    throw badConfig(`configs/prompts/${name}.md: ${error instanceof Error ? error.message : String(error)}`);
  }
}

const bullets = (lines: readonly string[]) => lines.map((line) => `- ${line}`).join("\n");

export function personaMessages(config: Prompts, fields: PersonaFields, situation: string): ChatMessage[] {
  return [
    { role: "system", content: filled(config, "persona") },
    { role: "user", content: filled(config, "persona-fields", { ...fields, age: String(fields.age), situation }) },
  ];
}

/** The simulated user's view: its own turns as `assistant`, the other's as `user`, with a short reminder under the last message. */
export function userMessages(config: Prompts, persona: Persona, situation: string, turns: readonly Turn[]): ChatMessage[] {
  const system = filled(config, "simulated-user", {
    name: persona.name,
    prose: persona.prose,
    manner: persona.manner,
    situation,
  });
  const opening: ChatMessage = { role: "user", content: filled(config, "simulated-user-opening") };
  const reminder = filled(config, "simulated-user-reminder", { name: persona.name });
  const seen = [opening, ...projectFor("user", turns)];
  return [
    { role: "system", content: system },
    ...seen.map((message, i) => (i === seen.length - 1 ? { ...message, content: `${message.content}\n\n${reminder}` } : message)),
  ];
}

/** The teacher as assistant, told how warm to be. */
export function assistantMessages(config: Prompts, card: PatternCard, style: Style, turns: readonly Turn[]): ChatMessage[] {
  const level = style === "pattern" ? card.target : styles[style].level;
  const styleText = style === "pattern" ? filled(config, "style-pattern", cardSlots(card)) : filled(config, styles[style].prompt);
  const system = filled(config, "assistant", { title: card.title, level: level.toFixed(2), style: styleText });
  return [{ role: "system", content: system }, ...projectFor("assistant", turns)];
}

/** The system message of every arm but System Prompt, and of every training row. */
export function baselineSystem(config: Prompts): ChatMessage {
  return { role: "system", content: filled(config, "baseline") };
}

/** The pattern card as a system message: the System Prompt arm. */
export function systemPromptArm(config: Prompts, card: PatternCard): ChatMessage {
  return {
    role: "system",
    content: filled(config, "system-prompt-arm", { ...cardSlots(card), title: card.title, level: card.target.toFixed(2) }),
  };
}

/** The judge sees text only: no arm, level or target. */
export function judgeMessages(config: Prompts, history: readonly Turn[], reply: string): ChatMessage[] {
  const task = filled(config, "judge-task", { conversation: withoutTags(renderTranscript(history)), reply: withoutTags(reply) });
  return [
    { role: "system", content: config.rubric.trim() },
    { role: "user", content: task },
  ];
}

/** What is rated can't end the place where it stands, nor be cut down to something that does. */
function withoutTags(text: string): string {
  const less = text.replaceAll(/<\s*\/?\s*(?:reply|conversation)\s*>/gi, "");
  return less === text ? text : withoutTags(less);
}

function cardSlots(card: PatternCard): Record<string, string> {
  return {
    do: bullets(card.do),
    avoid: bullets(card.avoid),
    exampleUser: card.example.user,
    exampleFitting: card.example.fitting,
  };
}
