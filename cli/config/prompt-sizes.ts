import type { Context } from "../../configs/schema/context.ts";
import type { Assumptions } from "./assumptions.ts";
import type { References } from "./references.ts";

/** Tokens of what is sent beside the conversation, as a mean over the contexts. */
interface PromptSizes {
  readonly persona: number;
  /** The simulated user's, with its opening and reminder. */
  readonly user: number;
  /** The teacher's as assistant, by the style that it is told. */
  readonly assistant: { readonly pattern: number; readonly plain: number };
  /** Rubric and task. */
  readonly judge: number;
}

/** What the sizes of prompts are read from. */
export type Prompted = Pick<References, "contexts" | "prompts" | "rubric">;

/** Sizes of the prompts with their slots filled by values of mean length. `split`: where the situations are from. */
export function promptSizes(
  { contexts, prompts, rubric }: Prompted,
  split: string,
  { charactersPerToken, personaProse }: Pick<Assumptions, "charactersPerToken" | "personaProse">,
): PromptSizes {
  const filled = (name: string, slots: Lengths = {}) =>
    (prompts[name] ?? "").replaceAll(/\{\{(\w+)\}\}/g, (_, slot: string) => "x".repeat(slots[slot] ?? 0)).trim().length;
  const each = contexts.map((context) => {
    const slots = slotsOf(context, split);
    const person = { ...slots, prose: Math.round(personaProse * charactersPerToken) };
    const assistant = (style: string) => filled("assistant", { ...slots, style: filled(style, slots) });
    return {
      persona: filled("persona") + filled("persona-fields", slots),
      user: filled("simulated-user", person) + filled("simulated-user-opening") + filled("simulated-user-reminder", slots),
      pattern: assistant("style-pattern"),
      plain: assistant("style-plain"),
    };
  });
  const tokens = (of: (sizes: (typeof each)[number]) => number) => mean(each.map(of)) / charactersPerToken;
  return {
    persona: tokens(({ persona }) => persona),
    user: tokens(({ user }) => user),
    assistant: { pattern: tokens(({ pattern }) => pattern), plain: tokens(({ plain }) => plain) },
    judge: (rubric.trim().length + filled("judge-task", { conversation: 0, reply: 0 })) / charactersPerToken,
  };
}

/** Of what fills the slots of a prompt, in characters. */
type Lengths = Readonly<Record<string, number>>;

/** Means over what a context offers for its slots. */
function slotsOf({ title, personas, pattern, families }: Context, split: string): Lengths {
  const length = (texts: readonly string[]) => Math.round(mean(texts.map((text) => text.length)));
  const bullets = (lines: readonly string[]) => lines.reduce((sum, line) => sum + "- ".length + line.length, lines.length - 1);
  return {
    title: title.length,
    level: "0.00".length,
    name: length(personas.names),
    age: "00".length,
    occupation: length(personas.occupations),
    manner: length(personas.manners),
    situation: length(families.filter((family) => family.split === split).map(({ situation }) => situation)),
    do: bullets(pattern.do),
    avoid: bullets(pattern.avoid),
    exampleUser: pattern.example.user.length,
    exampleFitting: pattern.example.fitting.length,
  };
}

const mean = (values: readonly number[]) => values.reduce((sum, value) => sum + value, 0) / Math.max(1, values.length);
