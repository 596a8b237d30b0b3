import { armResults } from "../../domain/gap/arm.ts";
import { contrast } from "../../domain/gap/contrast.ts";
import { adjustContrasts, headline, type Cell } from "../../domain/gap/headline.ts";
import type { BackboneResults, ContextResults, Desired, Headline, Measure, Results } from "../../domain/results.ts";
import { leastFamilies } from "../../domain/statistics/clusters.ts";
import { provenance } from "./provenance.ts";
import { isRehearsal } from "../stages/facts.ts";
import { itemsOf, type RunData } from "./run-data.ts";
import { samples } from "./samples.ts";

/** `results.json` from a run's data: no I/O, the same data give the same results. */
export function assemble(data: RunData): Results {
  const { experiment } = data.config;
  const { margin, split } = experiment.evaluate;
  const blocked = blockedBy(data.measures, margin);
  const raw = experiment.backbones.map((b) => ({
    backbone: b.id,
    baseModel: b.base_model,
    contexts: data.config.contexts.map((c) => contextResults(data, b.id, c.id, blocked)),
  }));
  const adjusted = adjustContrasts(raw.flatMap((b) => b.contexts));
  const backbones = raw.map((b, i): BackboneResults => ({
    ...b,
    contexts: adjusted.slice(i * b.contexts.length, (i + 1) * b.contexts.length),
  }));
  const cells = backbones.flatMap((b) =>
    b.contexts.flatMap((results): Cell[] => {
      const { adapter, baseline } = itemsOf(data, b.backbone, results.context);
      return adapter === undefined || baseline === undefined
        ? []
        : [{ target: results.desired.mean, adapter, baseline, results }];
    }),
  );
  const rehearsal = isRehearsal(data.config);
  return {
    version: 1,
    experiment: data.run.name,
    digest: data.run.digest,
    rehearsal,
    createdAt:
      data.stages
        .map((s) => s.at)
        .toSorted()
        .at(-1) ?? "",
    split,
    headline: {
      ...evidenceOf(rehearsal, Object.values(data.desired)),
      primary: experiment.evaluate.primary,
      margin,
      ...headline(cells, blocked),
      scope: scope(cells, split),
    },
    measures: data.measures,
    backbones,
    data: data.data,
    samples: samples(data),
    usage: data.usage,
    provenance: provenance(data),
  };
}

function contextResults(data: RunData, backbone: string, context: string, blocked: readonly string[]): ContextResults {
  const { experiment, contexts } = data.config;
  const { margin, conversations, turns, arms } = experiment.evaluate;
  const items = itemsOf(data, backbone, context);
  const desired = data.desired[context] ?? { mean: null, sd: null, n: null, experienced: {}, illustrative: false };
  const evaluated = new Set(Object.values(items).flatMap((list) => list.map((item) => item.unit))).size;
  const settings = {
    target: desired.mean,
    margin,
    conversations: evaluated,
    turns,
    seed: experiment.seed,
    copied: data.copied,
  };
  const results = Object.fromEntries(arms.map((arm) => [arm, armResults(items[arm] ?? [], settings)]));
  const lost = (["adapter", "baseline"] as const).flatMap((arm) => {
    const gap = results[arm]?.gap.mean;
    return gap === undefined || gap.value !== null ? [] : [`${arm}: ${gap.why ?? "no items"}`];
  });
  return {
    context,
    title: contexts.find((c) => c.id === context)?.title ?? context,
    families: new Set(Object.values(items).flatMap((list) => list.map((item) => item.family))).size,
    items: { asked: conversations, evaluated },
    desired,
    arms: results,
    contrast: contrast(items, { target: desired.mean, margin, seed: experiment.seed, blocked: [...blocked, ...lost] }),
  };
}

/** A measure that is further off than δ on the anchors, or on those that a student model wrote, cannot tell a gap from its own error. */
function blockedBy(measures: readonly Measure[], margin: number): string[] {
  const calibration = measures.find((m) => m.primary)?.calibration ?? null;
  const errors = [
    { on: "anchors", mae: calibration?.mae ?? null },
    { on: "student answers among the anchors", mae: calibration?.student?.mae ?? null },
  ];
  const known = errors.flatMap(({ on, mae }) => (mae === null ? [] : [{ on, mae }]));
  if (known.length === 0) return ["the primary measure was not tested on anchors"];
  return known
    .filter(({ mae }) => mae > margin)
    .map(({ on, mae }) => `the primary measure's mean error on ${on} (${mae.toFixed(3)}) exceeds δ (${margin.toFixed(2)})`);
}

/** Nothing is evidence that a rehearsal wrote or judged, or that is measured against targets which are not from people. */
function evidenceOf(rehearsal: boolean, desired: readonly Desired[]): Pick<Headline, "evidence" | "evidenceWhy"> {
  const why = [
    ...(rehearsal ? ["teacher, simulated user or judge was the offline rehearsal"] : []),
    ...(desired.some((d) => d.illustrative) ? ["the targets are illustrative, not from people"] : []),
  ];
  return why.length > 0
    ? { evidence: "none", evidenceWhy: why.join("; ") }
    : { evidence: "exploratory", evidenceWhy: "no analysis was locked before this run" };
}

function scope(cells: readonly Cell[], split: string): string {
  if (cells.length === 0) return "Adapter and Baseline were not compared.";
  const least = Math.min(...cells.map((c) => c.results.families));
  if (least >= leastFamilies)
    return `Intervals hold over scenario families like the ${least} or more ${split} families of each context.`;
  return `Conditional on these ${split} families (${least} a context, fewer than ${leastFamilies}): intervals say nothing about other families.`;
}
