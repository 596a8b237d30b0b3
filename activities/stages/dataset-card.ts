import { createHash } from "node:crypto";
import type { ModelRole } from "../../configs/schema/providers.ts";
import type { ResolvedExperiment } from "../../configs/schema/resolved.ts";
import type { Ref } from "../../contract/ref.ts";
import { type PiiCounts, piiText } from "../../domain/pii.ts";
import { isRehearsal, modelsOf } from "./facts.ts";

interface DatasetFacts {
  readonly title: string;
  readonly note: string;
  readonly counts: Readonly<Record<string, number>>;
  readonly pii: PiiCounts;
  /** Who wrote or judged the texts. */
  readonly roles: readonly ModelRole[];
  /** Templates that the texts were asked for with, by name in configs/prompts. */
  readonly prompts: readonly string[];
  /** What the data were made from. */
  readonly parents: Readonly<Record<string, Ref | undefined>>;
}

/** A dataset card in markdown: what was asked, kept and dropped, by whom it was written and from what, and what it may be used for. */
export function datasetCard(
  config: ResolvedExperiment,
  { title, note, counts, pii, roles, prompts, parents }: DatasetFacts,
): string {
  const rehearsal = isRehearsal(config);
  const writers = Object.entries(modelsOf(config, roles)).map(([role, model]) => `- ${role}: ${model}`);
  const from = Object.entries(parents).map(
    ([name, ref]) => `- ${name}: ${ref === undefined ? "not stated" : `sha256 ${ref.sha256}`}`,
  );
  return [
    `# ${title}`,
    "",
    ...(rehearsal ? ["**Rehearsal: not evidence.** The texts come from a written corpus through the offline teacher.", ""] : []),
    note,
    "",
    "| count | |",
    "|---|---|",
    ...Object.entries(counts).map(([name, count]) => `| ${name} | ${count} |`),
    "",
    "## Models",
    "",
    ...writers,
    "",
    "## Made from",
    "",
    ...from,
    ...prompts.map((name) => `- prompt ${name}: sha256 ${promptDigest(config, name)}`),
    `- Attune ${config.codeVersion}, seed ${config.experiment.seed}`,
    "",
    "## Use",
    "",
    `Text that looks personal: ${piiText(pii) || "none found"}. It is made up or repeated by the models above; nobody checked whose it is.`,
    "",
    "Synthetic: yes; no text is from a person. Licence: none is granted here; the terms of the models above apply to what they wrote.",
    "",
  ].join("\n");
}

function promptDigest({ prompts }: ResolvedExperiment, name: string): string {
  const text = prompts[name];
  return text === undefined ? "not stated" : createHash("sha256").update(text).digest("hex");
}
