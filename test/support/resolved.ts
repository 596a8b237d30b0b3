import { resolvedExperiment } from "../../configs/schema/resolved.ts";
import type { ResolvedExperiment } from "../../configs/schema/resolved.ts";
import type { Ref } from "../../contract/ref.ts";

const nowhere: Ref = { uri: "runs/quick/inputs/nothing", sha256: "0".repeat(64), bytes: 0, rows: null };

/** A resolved experiment of one context on a tiny backbone, all rehearsed. */
export function resolvedStub({ devices = ["cpu0"] }: { devices?: readonly string[] } = {}): ResolvedExperiment {
  const model = { provider: "rehearsal", model: "rehearsal" };
  return resolvedExperiment.parse({
    experiment: {
      name: "quick",
      contexts: ["distress"],
      providers: { rehearsal: { baseUrlEnv: "ATTUNE_REHEARSAL_URL", rehearsal: true } },
      models: { teacher: model, simulatedUser: model, judge: model },
      backbones: [{ id: "tiny", base_model: "example/Tiny", weights: "tiny" }],
      encoder: { id: "mini", weights: "minilm" },
      measure: { humanData: "configs/data/illustrative.jsonl" },
      converse: { conversations: 2, turns: 2 },
      reward: { labels: { guide: "a.jsonl", evaluator: "b.jsonl", anchors: "c.jsonl" }, author: "test" },
      evaluate: { split: "test", conversations: 2, turns: 4, arms: ["baseline"] },
      launcher: { kind: "process", devices: [...devices] },
    },
    contexts: [
      {
        id: "distress",
        title: "Distressing situations",
        personas: { names: ["Ann"], ages: [20, 30], occupations: ["baker"], manners: ["a1", "b2", "c3", "d4", "e5", "f6"] },
        pattern: { do: ["listen"], avoid: ["lists"], example: { user: "u", fitting: "f", unfitting: "x" } },
        families: ["one", "two", "three"].map((id) => ({ id, split: "pairs", situation: "Somebody has a hard week." })),
      },
    ],
    prompts: {},
    rubric: "rubric",
    inputs: { humanData: nowhere, guideLabels: nowhere, evaluatorLabels: nowhere, anchors: nowhere },
    answeredModels: {},
    weights: { tiny: "1".repeat(64), mini: "2".repeat(64) },
    codeVersion: "test",
  });
}
