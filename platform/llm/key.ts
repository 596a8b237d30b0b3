import { createHash } from "node:crypto";
import { canonicalJson } from "../../domain/canonical-json.ts";
import type { ChatMessage, Sampling } from "./client.ts";

/** What an answer depends on, and where it is used. Never host or port, never the run, nothing about our code. */
export interface CallIdentity {
  readonly role: string;
  /** By its configured name. */
  readonly provider: string;
  readonly model: string;
  /** For local models: digests of weights and adapter, and the engine. */
  readonly weights: string | null;
  readonly messages: readonly ChatMessage[];
  readonly sampling: Sampling;
  readonly schema: { readonly name: string; readonly schema: unknown } | null;
  readonly unit: string;
  readonly turn: number;
  readonly sample: number;
  /** The night, where fresh answers are meant; else empty. */
  readonly epoch: string;
}

/** The record's key: hex sha256 over the canonical JSON of the identity, whatever else the object holds. */
export function callKey({
  role,
  provider,
  model,
  weights,
  messages,
  sampling,
  schema,
  unit,
  turn,
  sample,
  epoch,
}: CallIdentity): string {
  const identity: CallIdentity = { role, provider, model, weights, messages, sampling, schema, unit, turn, sample, epoch };
  return createHash("sha256").update(canonicalJson(identity)).digest("hex");
}

/** Seed of a request: 31 bits of a digest of where its answer is used, so that equal prompts in two units differ. */
export function callSeed({ unit, turn, sample, epoch }: Pick<CallIdentity, "unit" | "turn" | "sample" | "epoch">): number {
  const digest = createHash("sha256")
    .update(canonicalJson([unit, turn, sample, epoch]))
    .digest();
  return digest.readUInt32BE(0) >>> 1;
}
