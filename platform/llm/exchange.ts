import OpenAI from "openai";
import type { CallRequest, Endpoint } from "./client.ts";
import { whyNoKey } from "./api-key.ts";
import { HoldError } from "./errors.ts";
import { keepAliveFetch } from "./http.ts";
import { callSeed } from "./key.ts";

/** One HTTP exchange; answers the body of a 200 as it came, throws what the SDK throws for anything else. */
export type Exchange = (request: CallRequest, key: string) => Promise<string>;

/** Keeps one client, and so one pool of sockets, per address. */
export function openAiExchange(): Exchange {
  const clients = new Map<string, OpenAI>();
  const sharedFetch = keepAliveFetch();

  const clientOf = (endpoint: Endpoint): OpenAI => {
    const { baseUrl, timeoutMs } = endpoint;
    const apiKey = readKey(endpoint);
    const name = JSON.stringify([baseUrl, timeoutMs, apiKey]);
    const existing = clients.get(name);
    if (existing !== undefined) return existing;
    const made = new OpenAI({ baseURL: baseUrl, apiKey, maxRetries: 0, timeout: timeoutMs, fetch: sharedFetch });
    clients.set(name, made);
    return made;
  };

  return async (request, key) => {
    const options = { signal: request.signal, headers: { "x-attune-key": key } };
    const client = clientOf(request.endpoint);
    try {
      const response = await client.chat.completions.create(toBody(request), options).asResponse();
      return withoutKey(await response.text(), client.apiKey);
    } catch (error) {
      // Some providers echo the key they were sent; what is thrown here ends in histories and logs.
      if (error instanceof Error) error.message = withoutKey(error.message, client.apiKey);
      throw error;
    }
  };
}

/** Shorter keys are placeholders such as `none`. */
const shortestKey = 8;

function withoutKey(text: string, key: string | null): string {
  if (key === null || key.length < shortestKey) return text;
  const plain = text.replaceAll(key, "***");
  return text.includes("\\") ? plain.replaceAll(escapedForms(key), "***") : plain;
}

/** JSON may write any letter as \u002b, and a slash as \/. */
function escapedForms(key: string): RegExp {
  const letters = Array.from(key, (letter) => {
    const hex = (letter.codePointAt(0) ?? 0).toString(16).padStart(4, "0");
    const anyCase = hex.replaceAll(/[a-f]/g, (digit) => `[${digit}${digit.toUpperCase()}]`);
    return `(?:\\u${hex}|\\\\u${anyCase}${letter === "/" ? "|\\\\/" : ""})`;
  });
  return new RegExp(letters.join(""), "g");
}

/** Read at the time of the call, so that a key that was set after a hold is used. */
function readKey({ apiKeyEnv, provider }: Endpoint): string {
  if (apiKeyEnv === undefined) return "none";
  const key = process.env[apiKeyEnv];
  const why = whyNoKey(apiKeyEnv, key);
  if (key !== undefined && why === null) return key;
  throw new HoldError({
    reason: "auth",
    message: `The provider ${provider} needs a key in ${apiKeyEnv}, but where this worker runs ${why}`,
    remedy: `Set ${apiKeyEnv} in the worker's environment and restart it, then: npx attune resume`,
  });
}

function toBody(request: CallRequest): OpenAI.ChatCompletionCreateParamsNonStreaming {
  const { temperature, topP, maxTokens } = request.sampling;
  return {
    model: request.model,
    messages: request.messages.map((message) => ({ ...message })),
    temperature,
    top_p: topP,
    [request.endpoint.maxTokensField]: maxTokens,
    seed: callSeed(request),
    ...(request.schema !== null && request.endpoint.jsonSchema
      ? {
          response_format: {
            type: "json_schema",
            json_schema: { name: request.schema.name, schema: { ...request.schema.schema }, strict: true },
          },
        }
      : {}),
  };
}
