/**
 * `node bench/bare-loop.ts CONFIG.json URL CONVERSATIONS WIDTH`: the same conversations as `converse` writes, by the `openai` package in a plain loop with
 * a semaphore around each call. Nothing is recorded, retried or checked: what durability is measured against.
 */
import { readFileSync } from "node:fs";
import OpenAI from "openai";
import { cardOf } from "../activities/stages/cards.ts";
import { assistantMessages, personaMessages, userMessages } from "../activities/prompts/prompts.ts";
import { resolvedExperiment } from "../configs/schema/resolved.ts";
import { drawPersona, familyOf } from "../domain/personas.ts";
import type { Turn } from "../domain/transcript.ts";
import type { ChatMessage } from "../platform/llm/client.ts";

const [file = "", baseURL = "", conversations = "", width = ""] = process.argv.slice(2);
const config = resolvedExperiment.parse(JSON.parse(readFileSync(file, "utf8")));
const { seed, converse } = config.experiment;
const context = firstContext();
const card = cardOf(config, context.id, 0.7);
const client = new OpenAI({ baseURL, apiKey: "none", maxRetries: 0 });

function firstContext() {
  const [first] = config.contexts;
  if (first === undefined) throw new Error("The configuration has no context");
  return first;
}

let open = 0;
const waiting: (() => void)[] = [];

async function ask(unit: number, messages: readonly ChatMessage[], maxTokens: number): Promise<string> {
  if (open >= Number(width)) await new Promise<void>((go) => waiting.push(go));
  else open += 1;
  try {
    const answer = await client.chat.completions.create({
      model: "rehearsal",
      messages: messages.map((message) => ({ ...message })),
      temperature: 0.7,
      top_p: 1,
      max_tokens: maxTokens,
      seed: unit,
    });
    return answer.choices[0]?.message.content ?? "";
  } finally {
    const next = waiting.shift();
    if (next === undefined) open -= 1;
    else next();
  }
}

async function conversation(unit: number): Promise<void> {
  const family = familyOf(
    context.families.filter(({ split }) => split === "pairs"),
    seed,
    unit,
    "bare",
  );
  const fields = drawPersona(context.personas, seed, unit, "bare", 0);
  const prose = await ask(unit, personaMessages(config, fields, family.situation), 300);
  const turns: Turn[] = [];
  for (let turn = 1; turn <= converse.turns; turn += 1) {
    const user = await ask(unit, userMessages(config, { ...fields, prose }, family.situation, turns), converse.maxTokens);
    turns.push({ speaker: "user", text: user });
    const reply = await ask(unit, assistantMessages(config, card, "pattern", turns), converse.maxTokens);
    turns.push({ speaker: "assistant", text: reply });
  }
}

await Promise.all(Array.from({ length: Number(conversations) }, (_, unit) => conversation(unit)));
