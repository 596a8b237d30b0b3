import type { ModelRole } from "../../configs/schema/providers.ts";
import type { ResolvedExperiment } from "../../configs/schema/resolved.ts";
import type { Endpoint, Price } from "../../platform/llm/client.ts";
import { HoldError } from "../../platform/llm/errors.ts";

/** A model in its role, ready to be called. */
export interface RoleModel {
  readonly endpoint: Endpoint;
  /** As the provider answered at the precheck: an alias would hide a change. */
  readonly model: string;
  readonly price: Price | null;
  readonly temperature: number;
  readonly topP: number;
}

export function roleModel({ experiment, answeredModels }: ResolvedExperiment, role: ModelRole): RoleModel {
  const model = experiment.models[role];
  const provider = experiment.providers[model.provider];
  if (provider === undefined) throw new Error(`models.${role}.provider names ${model.provider}, which providers does not have`);
  return {
    endpoint: {
      provider: model.provider,
      baseUrl: provider.baseUrl ?? baseUrlFrom(provider.baseUrlEnv ?? "", model.provider),
      apiKeyEnv: provider.apiKeyEnv,
      jsonSchema: provider.jsonSchema,
      maxTokensField: provider.maxTokensField,
      timeoutMs: provider.timeoutSeconds * 1000,
      width: provider.width,
      requestsPerMinute: provider.requestsPerMinute,
      tokensPerMinute: provider.tokensPerMinute,
    },
    model: answeredModels[role] ?? model.model,
    // The rehearsal costs nothing: that is a known price.
    price: provider.rehearsal ? { input: 0, output: 0 } : (model.price ?? null),
    temperature: model.temperature,
    topP: model.topP,
  };
}

function baseUrlFrom(env: string, provider: string): string {
  const url = process.env[env];
  if (url !== undefined && url !== "") return url;
  throw new HoldError({
    reason: "auth",
    message: `The address of provider ${provider} is read from ${env}, which is not set where this worker runs`,
    remedy: `Set ${env} in the worker's environment and restart it, then: npx attune resume`,
  });
}
