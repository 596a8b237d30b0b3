import { z } from "zod";
import { envName, id } from "./common.ts";

/** US dollars per million tokens. */
const price = z.strictObject({
  input: z.number().min(0),
  cachedInput: z.number().min(0).optional(),
  output: z.number().min(0),
});

/** True for `https://user:secret@host`. */
function hasCredentials(url: string): boolean {
  return URL.canParse(url) && (new URL(url).username !== "" || new URL(url).password !== "");
}

/** An OpenAI-compatible API. */
export const provider = z
  .strictObject({
    baseUrl: z
      .url({ protocol: /^https?$/ })
      .refine(
        (url) => !hasCredentials(url),
        "holds a user name or password, which would end in stored files: give the key by apiKeyEnv",
      )
      .optional(),
    baseUrlEnv: envName.optional(),
    apiKeyEnv: envName.optional().describe("Environment variable of the worker that holds the key"),
    rehearsal: z.boolean().default(false).describe("The offline teacher: results made with it are no evidence"),
    jsonSchema: z.boolean().default(true).describe("The API takes response_format json_schema"),
    maxTokensField: z
      .enum(["max_tokens", "max_completion_tokens"])
      .default("max_tokens")
      .describe("What the API calls the limit on an answer's tokens; newer OpenAI models take max_completion_tokens only"),
    width: z.int().min(1).max(4096).default(16).describe("Calls in flight at most"),
    requestsPerMinute: z.int().min(1).optional(),
    tokensPerMinute: z.int().min(1).optional(),
    timeoutSeconds: z
      .number()
      .positive()
      .max(1200)
      .default(60)
      .describe("Of one try; a conversation with all its tries has an hour"),
  })
  .refine((p) => (p.baseUrl === undefined) !== (p.baseUrlEnv === undefined), "give baseUrl or baseUrlEnv, one of the two");
export type Provider = z.infer<typeof provider>;

/** A model in a role. */
const model = z.strictObject({
  provider: id,
  model: z.string().min(1).max(200),
  temperature: z.number().min(0).max(2).default(0.7),
  topP: z.number().gt(0).max(1).default(1),
  price: price.optional(),
});

export const models = z.strictObject({ teacher: model, simulatedUser: model, judge: model });
export type ModelRole = keyof z.infer<typeof models>;
