import type { Spend } from "../../contract/units.ts";

export interface Usage {
  readonly input: number;
  /** Part of `input` that the provider had cached. */
  readonly cachedInput: number;
  readonly output: number;
}

/** What a call was made for: columns of the ledger, no part of its key. */
export interface CallLabels {
  /** Digest of the run that pays. */
  readonly run: string;
  readonly stage: string;
  readonly context: string;
  readonly arm: string;
}

/** One answer at HTTP 200 with a completion, whatever it holds. */
export interface StoredCall {
  readonly key: string;
  readonly at: string;
  readonly labels: CallLabels;
  readonly role: string;
  readonly provider: string;
  /** As the provider answered it. */
  readonly model: string;
  readonly fingerprint: string | null;
  readonly text: string;
  readonly finishReason: string;
  readonly refusal: string | null;
  readonly usage: Usage;
  /** null: no price is known. */
  readonly usd: number | null;
  /** The provider's body as it came: JSON. */
  readonly raw: string;
}

/** An attempt that brought no new record. */
export interface CallAttempt {
  readonly key: string;
  readonly at: string;
  readonly labels: CallLabels;
  readonly role: string;
  readonly provider: string;
  /** As it was asked for. */
  readonly model: string;
  /** `outage`: failed while the provider answered nobody, `limited`: a 429; neither uses an attempt. `cancelled`: sent, but not waited for. `wasted`: answered, but another process had recorded this key first. */
  readonly outcome: "failed" | "outage" | "limited" | "cancelled" | "wasted" | "reread";
  readonly cause: string;
  /** What a wasted answer cost; zeros for the others. */
  readonly usage: Usage;
  readonly usd: number | null;
}

export interface Failures {
  readonly count: number;
  /** When the first was logged; null: there is none. */
  readonly firstAt: string | null;
}

/** A row of the usage ledger. Tokens and price include wasted answers; `failed` includes rate limits and cancelled calls. */
export interface UsageRow {
  readonly stage: string;
  readonly context: string;
  readonly arm: string;
  readonly role: string;
  readonly model: string;
  readonly calls: number;
  readonly reread: number;
  readonly failed: number;
  readonly wasted: number;
  readonly inputTokens: number;
  readonly cachedInputTokens: number;
  readonly outputTokens: number;
  readonly usd: number | null;
}

/** Answers of a run under one fingerprint of the provider's, re-read ones included. */
export interface FingerprintRow {
  readonly stage: string;
  readonly role: string;
  readonly model: string;
  readonly fingerprint: string;
  readonly answers: number;
}

/** Every answer is recorded before it is used; the first write of a key wins, across processes. */
export interface CallStore {
  get(key: string): Promise<StoredCall | null>;
  /** Resolves after the commit. `won` false: `call` is what another process recorded first. */
  put(call: StoredCall): Promise<{ call: StoredCall; won: boolean }>;
  /** Written in the background, in order. */
  note(attempt: CallAttempt): void;
  /** Logged failures of this call, outages, rate limits and cancels apart, by whatever process. */
  failures(key: string): Promise<Failures>;
  /** Recomputed from the records, so that no crash can hide any. */
  spend(run: string): Promise<Spend>;
  spendByStage(run: string): Promise<Readonly<Record<string, Spend>>>;
  usage(run: string): Promise<readonly UsageRow[]>;
  /** By stage, role, model and fingerprint; answers whose provider gave none are left out. */
  fingerprints(run: string): Promise<readonly FingerprintRow[]>;
  /** Writes what is queued, then closes. */
  close(): Promise<void>;
}
