export interface Message {
  readonly role: "system" | "user" | "assistant";
  readonly content: string;
}

/** What of a chat request the rehearsal heeds. */
export interface ChatRequest {
  readonly model: string;
  readonly messages: readonly Message[];
  readonly seed: number;
  readonly maxTokens: number;
  /** Name of the JSON schema asked for, if one is. */
  readonly schema: string | undefined;
}

function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

function readMessage(value: unknown): Message | undefined {
  if (!isRecord(value) || typeof value["content"] !== "string") return undefined;
  const role = value["role"] === "developer" ? "system" : value["role"];
  if (role !== "system" && role !== "user" && role !== "assistant") return undefined;
  return { role, content: value["content"] };
}

/** Reads a request's body; a string says what is wrong with it. */
export function readRequest(body: unknown): ChatRequest | string {
  if (!isRecord(body)) return "the body is not a JSON object";
  if (typeof body["model"] !== "string") return "`model` is missing";
  if (!Array.isArray(body["messages"]) || body["messages"].length === 0) return "`messages` is missing or empty";
  const messages = body["messages"].map(readMessage);
  if (messages.includes(undefined)) return "each message needs a `role` (system, user or assistant) and a text as `content`";
  if (body["stream"] === true) return "`stream` is not offered; ask without it";
  if (body["n"] !== undefined && body["n"] !== 1) return "`n` must be 1";
  const format = isRecord(body["response_format"]) ? body["response_format"] : {};
  const schema = isRecord(format["json_schema"]) ? format["json_schema"]["name"] : undefined;
  const limit = body["max_completion_tokens"] ?? body["max_tokens"];
  return {
    model: body["model"],
    messages: messages.filter((message) => message !== undefined),
    seed: typeof body["seed"] === "number" ? body["seed"] : 0,
    maxTokens: typeof limit === "number" ? limit : 1024,
    schema: typeof schema === "string" ? schema : undefined,
  };
}
