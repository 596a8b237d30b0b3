import { join } from "node:path";
import type { ResolvedExperiment } from "../../configs/schema/resolved.ts";
import type { JobDraft } from "../../contract/jobs.ts";
import { readJson } from "../../platform/jobs/folder.ts";
import { backboneOf } from "../jobs/draft.ts";
import { isRehearsal } from "../stages/facts.ts";

/** What `weights.json` beside a model's weights says of them. */
export interface WeightsNote {
  readonly note: string;
  readonly licence: string;
  readonly source: string;
}

export async function readWeightsNote(home: string, folder: string): Promise<WeightsNote> {
  const found = ((await readJson(join(home, "models", folder, "weights.json"))) ?? {}) as Readonly<Record<string, unknown>>;
  const text = (name: string) => (typeof found[name] === "string" ? found[name] : "not stated");
  return { note: text("note"), licence: text("licence"), source: `${text("package")} ${text("version")}` };
}

/**
 * The model card. It holds only what follows from the recipe and the data, so that the same training gives the same card: timings belong to the
 * stage record.
 */
export function adapterCard({
  config,
  context,
  backbone,
  name,
  draft,
  weights,
}: {
  config: ResolvedExperiment;
  context: string;
  backbone: string;
  name: string;
  draft: JobDraft;
  weights: WeightsNote;
}): string {
  const { base_model: base } = backboneOf(config, backbone);
  const title = config.contexts.find(({ id }) => id === context)?.title ?? context;
  const pairs = draft.files[0]?.ref;
  const recipe = Object.entries(draft.params).filter(([key]) => key !== "kind" && key !== "base_model");
  const rehearsal = isRehearsal(config);
  return [
    "---",
    `base_model: ${base}`,
    "library_name: peft",
    `license: ${weights.licence.toLowerCase()}`,
    `tags: [lora, empathy, attune${rehearsal ? ", rehearsal" : ""}]`,
    "---",
    "",
    `# ${name}`,
    "",
    ...(rehearsal
      ? [
          "**Rehearsal: not evidence.** The training text was written by Attune's offline teacher from a corpus made for testing.",
          "",
        ]
      : []),
    `A LoRA expert for the context “${title}” on ${base}: trained toward the level of empathy that its experiment measured for this context. Whether it gets there is for the report to say.`,
    "",
    "## Trained from",
    "",
    `- Base weights: ${weights.source}, ${weights.note}; sha256 ${"base_model" in draft.params ? (draft.params.base_model.sha256 ?? "not stated") : "not stated"}`,
    `- Data: ${pairs?.rows ?? "an unstated number of"} preference pairs, synthetic, sha256 ${pairs?.sha256 ?? "not stated"}`,
    `- Licence of the base weights: ${weights.licence}`,
    "",
    "## Recipe",
    "",
    "Declared by this project; the method's paper does not state its own.",
    "",
    "| key | value |",
    "|---|---|",
    ...recipe.map(([key, value]) => `| ${key} | ${Array.isArray(value) ? value.join(", ") : String(value)} |`),
    `| seed | ${draft.seed} |`,
    "",
  ].join("\n");
}
