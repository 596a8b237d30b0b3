import type { RatedCanary } from "./canaries.ts";
import type { ContextData, Provenance, Sample, Usage } from "./account.ts";
import type { Interval } from "./statistics/observation.ts";

/** A number with its 95 % interval. A null value was not estimable; `why` says so. */
export interface Estimate {
  readonly value: number | null;
  readonly ci95: Interval | null;
  readonly why?: string;
}

export type Verdict = "gap reduced" | "gap widened" | "no difference shown" | "not estimable";

/** `results.json`: everything the report, the terminal summary and the nights read. Levels are 0–1; gaps signed as achieved − desired. */
export interface Results {
  readonly version: 1;
  readonly experiment: string;
  readonly digest: string;
  readonly rehearsal: boolean;
  readonly createdAt: string;
  readonly split: string;
  readonly headline: Headline;
  readonly measures: readonly Measure[];
  readonly backbones: readonly BackboneResults[];
  readonly data: readonly ContextData[];
  readonly samples: readonly Sample[];
  readonly usage: Usage;
  readonly provenance: Provenance;
}

export interface Headline {
  /** `none` for a rehearsal; otherwise every run without a locked analysis is exploratory. */
  readonly evidence: "none" | "exploratory";
  readonly evidenceWhy: string;
  readonly primary: string;
  /** δ of the verdict. */
  readonly margin: number;
  /** Share of Baseline's gap that Adapter closed: Σ|gap| over contexts, and the mean of the contexts' shares. */
  readonly gapReduction: { readonly pooled: Estimate; readonly macro: Estimate };
  /** Mean level Adapter / Baseline over contexts whose target is above Baseline. */
  readonly factor: Estimate;
  readonly verdict: Verdict;
  readonly reasons: readonly string[];
  /** What the intervals are conditional on. */
  readonly scope: string;
}

/** A measure earns its use on anchors. */
export interface Measure {
  readonly id: string;
  readonly kind: "reward model" | "judge" | "preference model";
  readonly primary: boolean;
  /** Made from other data than the training pairs. */
  readonly independent: boolean;
  readonly author: string;
  /** On the anchors; null where it was never measured. */
  readonly calibration: Calibration | null;
  /** Of the judge: what it made of replies whose rating is known beforehand; absent where it was not asked, and in results of earlier versions. */
  readonly canaries?: readonly RatedCanary[];
  /** Of a preference model: ordering pairs of held-out families. */
  readonly heldOut: { readonly accuracy: number | null; readonly n: number | null } | null;
}

/** Mean absolute error, calibration slope and rank correlation, beside the errors of guessing the mean and of length alone. */
export interface Calibration {
  readonly n: number | null;
  readonly mae: number | null;
  readonly slope: number | null;
  readonly spearman: number | null;
  readonly meanPredictorMae: number | null;
  readonly lengthOnlyMae: number | null;
  /** On the anchors that are answers of a student model, the kind of text that an evaluation scores; null where there are none. */
  readonly student: AnchorFit | null;
}

/** On some of the anchors. */
interface AnchorFit {
  readonly n: number;
  readonly mae: number | null;
  readonly slope: number | null;
  readonly spearman: number | null;
}

export interface BackboneResults {
  readonly backbone: string;
  readonly baseModel: string;
  readonly contexts: readonly ContextResults[];
}

export interface Desired {
  /** The target every gap is measured against. */
  readonly mean: number | null;
  readonly sd: number | null;
  readonly n: number | null;
  /** Mean level people experienced, by the model they talked to: another instrument than the arms' scores, never pooled. */
  readonly experienced: Readonly<Record<string, { readonly mean: number; readonly n: number }>>;
  /** Not from people. */
  readonly illustrative: boolean;
}

export interface ContextResults {
  readonly context: string;
  readonly title: string;
  readonly families: number;
  /** Items asked for, and those that reached an arm: an item dropped before its first turn is lost to all arms alike. */
  readonly items: { readonly asked: number; readonly evaluated: number };
  readonly desired: Desired;
  /** By arm, in the config's order. */
  readonly arms: Readonly<Record<string, ArmResults>>;
  /** Adapter against Baseline; null where an arm is not there. */
  readonly contrast: Contrast | null;
}

export interface ArmResults {
  /** Mean level by the primary measure over conversations. */
  readonly mean: number | null;
  readonly ci95: Interval | null;
  /** Conversations with a score. */
  readonly n: number;
  /** Turns: asked, without a score, and outcomes that were scored as produced. */
  readonly turns: number;
  readonly missing: number;
  readonly refused: number;
  readonly truncated: number;
  readonly empty: number;
  /** Simultaneous 95 % bands over turns. */
  readonly perTurn: readonly TurnResult[];
  /** Level gained per turn. */
  readonly slope: Estimate;
  /** Last turn − first turn. */
  readonly change: Estimate & { readonly holds: boolean | null };
  readonly gap: { readonly mean: GapMean; readonly conv: GapConv };
  /** The worst turn of a conversation, meaned over conversations: distance from desired. */
  readonly worstTurn: number | null;
  readonly judge: { readonly mean: number | null; readonly ci95: Interval | null; readonly unscored: number };
  readonly preference: number | null;
  readonly words: number | null;
  /** Share of reply sentences found word for word in the training pairs. */
  readonly copied: number | null;
  /** Distinct word pairs / all word pairs of the arm's replies. */
  readonly distinct2: number | null;
  readonly distribution: {
    readonly evaluator: readonly number[];
    readonly preference: readonly number[];
    readonly judge: readonly number[];
  };
}

export interface TurnResult {
  readonly turn: number;
  readonly mean: number | null;
  readonly ci95: Interval | null;
  readonly n: number;
}

/** `value` = |signed|. Inference is on the signed gap. */
export interface GapMean extends Estimate {
  readonly signed: number | null;
  /** The signed gap lies within ±margin: two one-sided tests at 5 %. */
  readonly matches: Readonly<Record<string, boolean | null>>;
}

/** Mean over conversations of |achieved − desired| with each persona's own desired level. */
export interface GapConv extends Estimate {
  /** What the best constant level would leave. */
  readonly floor: number | null;
}

export interface Contrast {
  /** |gap of Baseline| − |gap of Adapter|, paired by item. */
  readonly improvement: Estimate & {
    readonly p: number | null;
    readonly pHolm: number | null;
    readonly detectable: number | null;
    readonly n: number;
  };
  /** Level of Adapter − level of Baseline, paired by item, and the same at equal reply length. */
  readonly shift: Estimate;
  readonly shiftAtEqualLength: Estimate;
  readonly reduction: Estimate;
  /** Share of the attainable part of gap.conv that was closed. */
  readonly convReduction: Estimate;
  readonly factor: Estimate;
  /** Upper 95 % bound of achieved − desired. */
  readonly overshoot: { readonly upper: number | null; readonly underMargin: boolean | null };
  /** Share of paired turns whose preference score is higher than Baseline's; ties count half. */
  readonly preferred: number | null;
  /** Slope over turns minus Baseline's, for each other arm. */
  readonly slopes: Readonly<Record<string, Estimate>>;
  readonly verdict: Verdict;
  readonly reasons: readonly string[];
}
