import { createHash } from "node:crypto";
import type { FaultKind } from "./faults.ts";
import type { ChatRequest } from "./request.ts";
import { wordPieces } from "./text.ts";

/** Content and finish reason after a content fault and the request's token limit. */
function shape(text: string, { maxTokens, schema }: ChatRequest, fault: FaultKind | undefined) {
  if (fault === "refusal") return { content: null, refusal: "I'm sorry, I can't help with that.", finish: "stop" };
  if (fault === "empty") return { content: "", refusal: null, finish: "stop" };
  const pieces = wordPieces(text);
  const limit = fault === "truncated" ? Math.min(maxTokens, Math.ceil(pieces.length / 2)) : maxTokens;
  const broken = fault === "malformed" ? (schema === undefined ? `{"text": ${text}` : `\`\`\`json ${text.slice(0, -2)}`) : text;
  if (pieces.length <= limit) return { content: broken, refusal: null, finish: "stop" };
  return { content: pieces.slice(0, limit).join(""), refusal: null, finish: "length" };
}

/** A chat completion as OpenAI shapes it; usage by the declared estimate. */
export function completion(request: ChatRequest, model: string, text: string, fault: FaultKind | undefined): object {
  const { content, refusal, finish } = shape(text, request, fault);
  const promptTokens = request.messages.reduce((sum, message) => sum + 4 + wordPieces(message.content).length, 3);
  const completionTokens = wordPieces(content ?? refusal ?? "").length;
  const id = createHash("sha256")
    .update(JSON.stringify([request.seed, request.messages]))
    .digest("hex")
    .slice(0, 24);
  return {
    id: `chatcmpl-${id}`,
    object: "chat.completion",
    created: Math.floor(Date.now() / 1000),
    model,
    system_fingerprint: model,
    choices: [{ index: 0, message: { role: "assistant", content, refusal }, logprobs: null, finish_reason: finish }],
    usage: {
      prompt_tokens: promptTokens,
      completion_tokens: completionTokens,
      total_tokens: promptTokens + completionTokens,
      prompt_tokens_details: { cached_tokens: 0 },
    },
  };
}

/** An error body as OpenAI shapes it. */
export function errorBody(message: string, type: string, code: string | null): object {
  return { error: { message, type, param: null, code } };
}
