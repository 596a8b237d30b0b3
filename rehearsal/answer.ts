import { beatIndex } from "./beats.ts";
import type { Corpus } from "./corpus.ts";
import { judgeRole } from "./judge/judge.ts";
import type { Rules } from "./judge/rules.ts";
import type { ChatRequest } from "./request.ts";
import { assistantRole } from "./roles/assistant.ts";
import { personaRole } from "./roles/persona.ts";
import { simulatedUserRole } from "./roles/simulated-user.ts";

export type Role = "persona" | "simulatedUser" | "assistant" | "judge";

/** The role a request asks for, told from its schema or the head of its system message alone. */
export function roleOf({ schema, messages }: ChatRequest): Role {
  const system = messages.find((message) => message.role === "system")?.content ?? "";
  if (schema === "persona" || system.startsWith("You invent people")) return "persona";
  if (schema === "judgement" || system.startsWith("You rate how much empathy")) return "judge";
  return system.startsWith("You play the person described") ? "simulatedUser" : "assistant";
}

/** Answers any request: a function of its seed, its messages and the corpus, and of nothing else. */
export function answering(corpus: Corpus, rules: Rules): (request: ChatRequest) => { role: Role; text: string } {
  const roles: Readonly<Record<Role, (request: ChatRequest) => string>> = {
    persona: personaRole,
    simulatedUser: simulatedUserRole(corpus),
    assistant: assistantRole(corpus, beatIndex(corpus)),
    judge: judgeRole(rules),
  };
  return (request) => {
    const role = roleOf(request);
    return { role, text: roles[role](request) };
  };
}
