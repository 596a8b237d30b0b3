import { pick, seeded } from "../random.ts";
import type { ChatRequest } from "../request.ts";
import { lineValue } from "../text.ts";

/** Ages outside of which an occupation is not believed. */
const believable: readonly { readonly occupation: RegExp; readonly from: number; readonly to: number }[] = [
  { occupation: /retired|pensioner/i, from: 55, to: 120 },
  { occupation: /student|undergraduate/i, from: 16, to: 60 },
  { occupation: /apprentice|trainee|intern\b/i, from: 16, to: 50 },
  { occupation: /head |director|principal|judge|surgeon|professor|doctor/i, from: 28, to: 75 },
  { occupation: /./, from: 16, to: 70 },
];

/** Plays the inventor of persons: says whether the fields go together, and who that is in a sentence or two. */
export function personaRole({ messages, seed }: ChatRequest): string {
  const text = messages.map((message) => message.content).join("\n");
  const field = (head: string) => lineValue(text, head) ?? "";
  const [name, occupation, manner] = [field("Name"), field("Occupation"), field("Manner")];
  const age = Number.parseInt(field("Age"), 10);
  const range = believable.find((entry) => entry.occupation.test(occupation));
  const plausible = range !== undefined && age >= range.from && age <= range.to;
  const reason = plausible ? `At ${age}, ${occupation} is believable.` : `At ${age}, ${occupation} is hard to believe.`;
  const prose = pick(
    [
      `${name} is ${age}, ${occupation}. Their way of talking: ${manner}.`,
      `A person of ${age} called ${name}, ${occupation}. In conversation: ${manner}.`,
      `${name}, ${age} years old, ${occupation}. How they come across: ${manner}.`,
      `This is ${name} (${age}), ${occupation}. In a chat: ${manner}.`,
    ],
    seeded(seed, "persona", name, age, occupation),
  );
  return JSON.stringify({ plausible, reason, prose });
}
