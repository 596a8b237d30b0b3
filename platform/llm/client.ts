import type { CallLabels, Usage } from "../calls/store.ts";
import type { Meter } from "./meter.ts";

export interface ChatMessage {
  readonly role: "system" | "user" | "assistant";
  readonly content: string;
}

export interface Sampling {
  readonly temperature: number;
  readonly topP: number;
  readonly maxTokens: number;
}

/** US dollars per million tokens. */
export interface Price {
  readonly input: number;
  readonly cachedInput?: number | undefined;
  readonly output: number;
}

/** An OpenAI-compatible server, as a run's configuration names it. */
export interface Endpoint {
  /** The configured name; limits and keys go by it. */
  readonly provider: string;
  readonly baseUrl: string;
  readonly apiKeyEnv?: string | undefined;
  readonly jsonSchema: boolean;
  /** What the API calls the limit on an answer's tokens. */
  readonly maxTokensField: "max_tokens" | "max_completion_tokens";
  readonly timeoutMs: number;
  readonly width: number;
  readonly requestsPerMinute?: number | undefined;
  readonly tokensPerMinute?: number | undefined;
}

export interface CallRequest {
  readonly role: "teacher" | "simulatedUser" | "judge" | "student";
  readonly endpoint: Endpoint;
  readonly model: string;
  /** For local models: digests of weights and adapter, and the engine. */
  readonly weights: string | null;
  readonly price: Price | null;
  readonly messages: readonly ChatMessage[];
  readonly sampling: Sampling;
  /** JSON Schema that the answer must follow. */
  readonly schema: { readonly name: string; readonly schema: Readonly<Record<string, unknown>> } | null;
  readonly unit: string;
  readonly turn: number;
  /** Which try of this turn; a refused answer is asked again under the next one. */
  readonly sample: number;
  readonly epoch: string;
  /** Calls that the unit has made before this one; 0 unless told. */
  readonly progress?: number;
  readonly labels: CallLabels;
  readonly meter: Meter;
  readonly signal: AbortSignal;
  /** Told before each wait, for the heartbeat. */
  readonly onRetry?: (cause: string, nextTryAt: Date) => void;
}

export interface Answer {
  readonly key: string;
  readonly text: string;
  /** `stop`, `length`, `content_filter`, … */
  readonly finishReason: string;
  readonly refusal: string | null;
  /** As the provider answered it. */
  readonly model: string;
  readonly usage: Usage;
  /** True: taken from the call store, nothing was asked. */
  readonly reread: boolean;
}

/** Makes model calls durable: store, then limiter, then the provider, then the store again. */
export interface ModelCaller {
  /**
   * @throws UnavailableError when the provider keeps failing, HoldError when only a person can help, RefusedRequestError when the request is wrong,
   *   the signal's reason when aborted
   */
  call(request: CallRequest): Promise<Answer>;
}
