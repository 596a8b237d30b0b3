import type { Arm } from "../../contract/stages.ts";
import { wrongContext } from "../../domain/arms.ts";

export interface Batched {
  readonly context: string;
  readonly arm: Arm;
}

/**
 * Batches in the order they run, grouped by the adapter they ask for: llama.cpp is slower when LoRAs mix, and its slot cache survives no change of
 * LoRA. First what needs none; then each adapter's own arm beside the wrong arm that it plays.
 */
export function groupByAdapter(contexts: readonly string[], arms: readonly Arm[]): readonly (readonly Batched[])[] {
  const wants = new Set<Arm>(arms);
  const base = (["baseline", "system_prompt"] as const)
    .filter((arm) => wants.has(arm))
    .flatMap((arm) => contexts.map((context) => ({ context, arm })));
  const byAdapter = contexts.map((context): Batched[] => {
    const before = contexts.find((other) => wrongContext(contexts, other) === context);
    return [
      ...(wants.has("adapter") ? [{ context, arm: "adapter" as const }] : []),
      ...(wants.has("wrong_adapter") && before !== undefined ? [{ context: before, arm: "wrong_adapter" as const }] : []),
    ];
  });
  return [base, ...byAdapter].filter((group) => group.length > 0);
}
