import { createHash } from "node:crypto";
import type { StoredCall } from "../../platform/calls/store.ts";

/** A record under the digest of `name`. */
export function storedCall(name: string, changes: Partial<StoredCall> = {}): StoredCall {
  return {
    key: createHash("sha256").update(name).digest("hex"),
    at: "2026-01-01T00:00:00.000Z",
    labels: { run: "run-1", stage: "converse", context: "distress", arm: "" },
    role: "teacher",
    provider: "api",
    model: "m-1",
    fingerprint: null,
    text: name,
    finishReason: "stop",
    refusal: null,
    usage: { input: 10, cachedInput: 4, output: 5 },
    usd: 0.5,
    raw: "{}",
    ...changes,
  };
}
