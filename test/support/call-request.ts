import type { CallRequest, Endpoint } from "../../platform/llm/client.ts";
import { conversationMeter } from "../../platform/llm/meter.ts";

/** A request for `text`; every other fact can be changed. */
export function callRequest(
  text: string,
  baseUrl: string,
  { endpoint, ...changes }: Partial<Omit<CallRequest, "endpoint">> & { endpoint?: Partial<Endpoint> } = {},
): CallRequest {
  return {
    role: "teacher",
    endpoint: {
      provider: "api",
      baseUrl,
      jsonSchema: true,
      maxTokensField: "max_tokens",
      timeoutMs: 5000,
      width: 8,
      ...endpoint,
    },
    model: "alias",
    weights: null,
    price: { input: 1, cachedInput: 0.5, output: 10 },
    messages: [{ role: "user", content: text }],
    sampling: { temperature: 0.7, topP: 1, maxTokens: 50 },
    schema: null,
    unit: "1/converse/pairs/distress-00000",
    turn: 1,
    sample: 0,
    epoch: "",
    labels: { run: "run-1", stage: "converse", context: "distress", arm: "" },
    meter: conversationMeter({ calls: null, usd: null }),
    signal: new AbortController().signal,
    ...changes,
  };
}
