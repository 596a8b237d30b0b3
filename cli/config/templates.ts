import { usageError } from "../errors.ts";
import { nearest } from "./nearest.ts";

/** Every prompt and the slots that are filled in it. */
const templates = {
  persona: [],
  "persona-fields": ["name", "age", "occupation", "manner", "situation"],
  "simulated-user": ["name", "prose", "manner", "situation"],
  "simulated-user-opening": [],
  "simulated-user-reminder": ["name"],
  assistant: ["title", "level", "style"],
  "style-pattern": ["do", "avoid", "exampleUser", "exampleFitting"],
  "style-plain": [],
  "style-over-warm": [],
  "system-prompt-arm": ["title", "level", "do", "avoid", "exampleUser", "exampleFitting"],
  "judge-task": ["conversation", "reply"],
  baseline: [],
} as const satisfies Record<string, readonly string[]>;

export type TemplateName = keyof typeof templates;
export const templateNames = Object.keys(templates) as readonly TemplateName[];

/** @throws CliError (exit 2) for a slot that nothing fills and for braces that open or close none */
export function checkTemplate(name: TemplateName, text: string, file: string): void {
  const slots: readonly string[] = templates[name];
  for (const [i, line] of text.split("\n").entries()) {
    for (const [, slot = ""] of line.matchAll(/\{\{(\w+)\}\}/g)) {
      if (slots.includes(slot)) continue;
      const meant = nearest(slot, slots);
      const hint =
        meant !== undefined
          ? `did you mean {{${meant}}}?`
          : slots.length === 0
            ? "this prompt has no slots"
            : `its slots are ${slots.join(", ")}`;
      throw usageError(`${file}:${i + 1}: nothing fills {{${slot}}}; ${hint}`);
    }
    if (/\{\{|\}\}/.test(line.replaceAll(/\{\{\w+\}\}/g, "")))
      throw usageError(`${file}:${i + 1}: a slot is written {{name}}, letters only; these braces open or close none.`);
  }
}
