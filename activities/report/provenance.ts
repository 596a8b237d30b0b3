import type { Provenance } from "../../domain/account.ts";
import type { RunData } from "./run-data.ts";

/** Digests, versions, models and the declared recipe behind the numbers. */
export function provenance({ run, config, codeVersion, stages, answered }: RunData): Provenance {
  const { experiment, answeredModels, weights, inputs } = config;
  const roles = Object.entries(experiment.models).map(
    ([role, m]) => [role, `${answeredModels[role] ?? m.model} (${m.provider})`] as const,
  );
  const { align, evaluate, steer, converse, measure } = experiment;
  return {
    codeVersion,
    config: { uri: run.config.uri, sha256: run.config.sha256 },
    models: {
      ...Object.fromEntries(roles),
      ...Object.fromEntries(experiment.backbones.map((b) => [`student ${b.id}`, b.base_model])),
      encoder: experiment.encoder.id,
    },
    answered,
    weights,
    inputs: Object.fromEntries(Object.entries(inputs).map(([name, ref]) => [name, ref.sha256])),
    seed: experiment.seed,
    recipe: {
      loss: align.loss,
      sft_weight: align.sft_weight,
      dpo_beta: align.dpo_beta,
      lora_r: align.lora_r,
      lora_alpha: align.lora_alpha,
      lora_top_layers: align.lora_top_layers,
      learning_rate: align.learning_rate,
      max_steps: align.max_steps,
      micro_batch_size: align.micro_batch_size,
      gradient_accumulation_steps: align.gradient_accumulation_steps,
      link: measure.link,
      guidance: steer.guidance,
      judgeMargin: steer.judgeMargin,
      guideMargin: steer.guideMargin,
      baselinePrior: steer.baselinePrior,
      overWarmShare: steer.overWarmShare,
      minPairs: steer.minPairs,
      "converse conversations × turns": `${converse.conversations} × ${converse.turns}`,
      "evaluate conversations × turns": `${evaluate.conversations} × ${evaluate.turns}`,
      temperature: evaluate.temperature,
      max_new_tokens: evaluate.maxNewTokens,
      protocol: "free-running",
    },
    stages: stages.map(({ key, at, codeVersion: code, outputs }) => ({
      key,
      at,
      codeVersion: code,
      outputs: Object.fromEntries(Object.entries(outputs).map(([name, ref]) => [name, ref.sha256])),
    })),
  };
}
