import type { Experiment } from "../../configs/schema/experiment.ts";
import type { Provider } from "../../configs/schema/providers.ts";
import { whyNoKey } from "../../platform/llm/api-key.ts";
import { precheckError } from "../errors.ts";
import { nearest } from "./nearest.ts";

type Env = Readonly<Record<string, string | undefined>>;

const answerMs = 10_000;

/**
 * Asks each provider that plays a role which models it has. An alias such as `rehearsal` becomes the id that answers for it, `rehearsal@<revision>`.
 * @throws CliError (exit 3): unreachable, key missing or refused, model missing
 */
export async function answeredModels({ providers, models }: Experiment, env: Env): Promise<Record<string, string>> {
  const lists = new Map<string, Promise<readonly string[] | null>>();
  const answered: Record<string, string> = {};
  for (const [role, { provider: name, model }] of Object.entries(models)) {
    const provider = providers[name];
    if (provider === undefined) throw new Error(`models.${role} names the provider ${name}, which was not checked`);
    const list = lists.get(name) ?? listModels(name, provider, env);
    lists.set(name, list);
    answered[role] = answers(await list, { role, model, provider: name, url: providerUrl(name, provider, env) });
  }
  return answered;
}

/** @throws CliError (exit 3) when the variable that holds the address is not set */
function providerUrl(name: string, { baseUrl, baseUrlEnv }: Provider, env: Env): string {
  const url = baseUrl ?? env[baseUrlEnv ?? ""];
  if (url !== undefined && url !== "") return withoutSecrets(url, baseUrlEnv ?? "baseUrl");
  const remedy =
    baseUrlEnv === "ATTUNE_REHEARSAL_URL" ? "start the stack that has it: `npx attune dev`" : `set ${baseUrlEnv ?? "baseUrl"}`;
  throw precheckError(`Provider ${name} has its address in ${baseUrlEnv ?? "baseUrl"}, which is not set; ${remedy}.`);
}

/** @throws CliError (exit 3): what is in the address would be shown with it */
function withoutSecrets(url: string, where: string): string {
  const parsed = URL.canParse(url) ? new URL(url) : null;
  if (parsed === null || !/^https?:$/.test(parsed.protocol))
    throw precheckError(`The address in ${where} is no http or https URL.`);
  if (parsed.username !== "" || parsed.password !== "")
    throw precheckError(`The address in ${where} holds a user name or password; give the key by apiKeyEnv instead.`);
  return url.replace(/\/+$/, "");
}

/** Ids; null where the provider has no list. */
async function listModels(name: string, provider: Provider, env: Env): Promise<readonly string[] | null> {
  const url = `${providerUrl(name, provider, env)}/models`;
  const key = provider.apiKeyEnv === undefined ? undefined : env[provider.apiKeyEnv];
  const why = provider.apiKeyEnv === undefined ? null : whyNoKey(provider.apiKeyEnv, key);
  if (why !== null)
    throw precheckError(
      `Provider ${name} needs its key in ${provider.apiKeyEnv}, but ${why}; set it here and where the llm worker runs.`,
    );
  const response = await fetch(url, {
    headers: key === undefined ? {} : { authorization: `Bearer ${key}` },
    signal: AbortSignal.timeout(answerMs),
  }).catch((error: unknown) => {
    throw precheckError(
      `Provider ${name} does not answer at ${url} (${reason(error)}). Start it, or correct providers.${name}.`,
      error,
    );
  });
  if (response.status === 401 || response.status === 403)
    throw precheckError(
      `Provider ${name} refuses the key in ${provider.apiKeyEnv ?? "no variable"} (HTTP ${response.status} at ${url}).`,
    );
  if (response.status === 404 || response.status === 405) return null;
  if (!response.ok) throw precheckError(`Provider ${name} answers HTTP ${response.status} at ${url}; try again when it is well.`);
  const body = (await response.json().catch(() => null)) as { data?: unknown } | null;
  if (!Array.isArray(body?.data))
    throw precheckError(
      `Provider ${name} answers at ${url}, but with no list of models; is providers.${name} the address of an OpenAI-compatible API?`,
    );
  return body.data.flatMap((entry: { id?: unknown } | null) => (typeof entry?.id === "string" ? [entry.id] : []));
}

function answers(
  list: readonly string[] | null,
  { role, model, provider, url }: { role: string; model: string; provider: string; url: string },
): string {
  if (list === null || list.includes(model)) return model;
  const revisions = list.filter((id) => id.startsWith(`${model}@`));
  const [only] = revisions;
  if (revisions.length === 1 && only !== undefined) return only;
  const meant = nearest(model, list);
  const hint =
    meant === undefined ? `it has ${list.slice(0, 8).join(", ")}${list.length > 8 ? " …" : ""}` : `did you mean ${meant}?`;
  throw precheckError(`models.${role}.model is ${model}, which provider ${provider} at ${url} does not have; ${hint}`);
}

function reason(error: unknown): string {
  if (!(error instanceof Error)) return String(error);
  if (error.name === "TimeoutError") return `no answer in ${answerMs / 1000} s`;
  const { cause } = error;
  if (!(cause instanceof Error)) return error.message;
  return "code" in cause ? String(cause.code) : cause.message;
}
