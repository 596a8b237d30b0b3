import { z } from "zod";
import { tokensCap } from "../../configs/schema/stage-settings.ts";
import { largerLimit, personaDraws, personaTokens } from "../../configs/schema/worst-case.ts";
import { type Fault, isMalformed, userFault } from "../../domain/detectors.ts";
import { drawPersona, type Persona } from "../../domain/personas.ts";
import { isRefused, readsAsRefusal } from "../../domain/refusal.ts";
import type { Turn } from "../../domain/transcript.ts";
import type { ChatMessage } from "../../platform/llm/client.ts";
import { readJson } from "../judging/json.ts";
import { personaMessages, userMessages } from "../prompts/prompts.ts";
import { roleModel } from "./models.ts";
import type { Session } from "./session.ts";

const personaAnswer = z.object({ plausible: z.boolean(), reason: z.string(), prose: z.string().optional() });
const personaSchema = {
  name: "persona",
  schema: {
    type: "object",
    properties: { plausible: { type: "boolean" }, reason: { type: "string" }, prose: { type: "string" } },
    required: ["plausible", "reason", "prose"],
    additionalProperties: false,
  },
} as const;

/**
 * Fields, plausibility check, prose. `stream` names the split, so that splits draw apart. The same person in every night: items are compared. A person
 * that is refused is not drawn again: those that comply would be others.
 */
export async function inventPersona(session: Session, situation: string, stream: string): Promise<Persona | { dropped: string }> {
  const { config, input } = session;
  const source = config.contexts.find((context) => context.id === input.group.context);
  if (source === undefined) throw new Error(`The run has no context ${input.group.context}`);
  const model = roleModel(config, "teacher");
  let maxTokens: number = personaTokens.first;
  let reason = "implausible-persona";
  for (let draw = 0; draw < personaDraws; draw += 1) {
    const fields = drawPersona(source.personas, config.experiment.seed, input.unit, `${stream}/${source.id}`, draw);
    const answer = await session.ask({
      role: "teacher",
      model,
      messages: personaMessages(config, fields, situation),
      maxTokens,
      turn: 0,
      sample: draw,
      schema: personaSchema,
      epoch: "",
    });
    if (isRefused(answer, "json")) return { dropped: "persona-refused" };
    if (answer.finishReason === "length") {
      reason = "persona-truncated";
      maxTokens = largerLimit(maxTokens, personaTokens.cap);
      continue;
    }
    const { data } = personaAnswer.safeParse(readJson(answer.text));
    if (data === undefined) {
      reason = answer.text.trim() === "" ? "persona-empty" : "persona-unreadable";
      continue;
    }
    // Held to a schema, a model refuses in its fields.
    const { plausible, prose = "" } = data;
    if (readsAsRefusal(data.reason) || readsAsRefusal(prose)) return { dropped: "persona-refused" };
    if (plausible && prose.trim() !== "") return { ...fields, prose };
    reason = plausible ? "persona-empty" : "implausible-persona";
  }
  return { dropped: reason };
}

export interface UserTurn {
  readonly text: string;
  /** What is wrong with the last sample when none was without a fault. */
  readonly fault: Fault | null;
}

/**
 * The simulated user's next message: asked again while a detector finds a fault, within the sample limit; once cut, with more room. A refusal is no
 * message, and is not asked again.
 */
export async function userTurn(
  session: Session,
  persona: Persona,
  situation: string,
  turns: readonly Turn[],
  turn: number,
): Promise<UserTurn | { dropped: string }> {
  const { config, input } = session;
  const model = roleModel(config, "simulatedUser");
  let last: UserTurn = { text: "", fault: "empty" };
  let { maxTokens } = config.experiment.converse;
  for (let sample = 0; sample < input.sampleLimit; sample += 1) {
    const answer = await session.ask({
      role: "simulatedUser",
      model,
      messages: userMessages(config, persona, situation, turns),
      maxTokens,
      turn,
      sample,
    });
    if (isRefused(answer, "user")) return { dropped: "user-refused" };
    const text = answer.text.trim();
    const cut = answer.finishReason === "length";
    if (cut) maxTokens = largerLimit(maxTokens, tokensCap(config.experiment.converse));
    last = {
      text,
      fault: cut && text !== "" ? "truncated" : userFault(text, turns, config.experiment.converse.fidelity),
    };
    if (last.fault === null) break;
  }
  return last;
}

/** An assistant's reply for data: never empty, never cut, never JSON or a page, never a refusal. After a cut one it is asked again with more room. */
export async function dataReply(
  session: Session,
  messages: readonly ChatMessage[],
  turn: number,
): Promise<{ text: string; finishReason: string } | { dropped: string }> {
  const { config, input } = session;
  const model = roleModel(config, "teacher");
  let fault = "empty";
  let { maxTokens } = config.experiment.converse;
  for (let sample = 0; sample < input.sampleLimit; sample += 1) {
    const answer = await session.ask({
      role: "teacher",
      model,
      messages,
      maxTokens,
      turn,
      sample,
    });
    // Asked again until it complies, a refusal would be hidden and the data bent.
    if (isRefused(answer, "assistant")) return { dropped: "assistant-refused" };
    const text = answer.text.trim();
    if (answer.finishReason === "length") {
      fault = "truncated";
      maxTokens = largerLimit(maxTokens, tokensCap(config.experiment.converse));
    } else if (text === "") fault = "empty";
    else if (isMalformed(text)) fault = "malformed";
    else return { text, finishReason: answer.finishReason };
  }
  return { dropped: `assistant-${fault}` };
}
