import { modelWarnings } from "./answered-models.ts";
import { judgeWarnings } from "./canaries.ts";
import { fingerprintNotes } from "./fingerprints.ts";
import type { ArmResults, Estimate, Results } from "./results.ts";

const columns = ["context", "arm", "desired", "achieved", "gap", "95 % interval", "closed"] as const;

/** The gap table for a terminal: plain text, a line an arm, with what the numbers may not be taken for. */
export function summary(results: Results): string {
  const rows = results.backbones.flatMap((b) =>
    b.contexts.flatMap((c) =>
      Object.entries(c.arms).map(([arm, r], i) => [
        i === 0 ? (results.backbones.length > 1 ? `${c.context} (${b.backbone})` : c.context) : "",
        arm.replaceAll("_", " "),
        number(c.desired.mean),
        number(r.mean),
        signedGap(r),
        interval(r.gap.mean),
        arm === "adapter" && c.contrast !== null ? share(c.contrast.reduction) : "",
      ]),
    ),
  );
  const { headline } = results;
  const { pooled, macro } = headline.gapReduction;
  return [
    ...(results.rehearsal ? ["Rehearsal: not evidence.", ""] : []),
    ...layout([[...columns], ...rows]),
    "",
    `Gap closed: ${share(pooled)} ${shareInterval(pooled)}${pooled.value === null ? ` (${pooled.why ?? "no reason recorded"})` : `, mean of contexts ${share(macro)}${macro.why === undefined ? "" : ` (${macro.why})`}`}`,
    `Evidence: ${headline.evidence} (${headline.evidenceWhy})`,
    `Verdict: ${headline.verdict}${headline.reasons.length > 0 ? ` (${headline.reasons.join("; ")})` : ""}`,
    headline.scope,
    ...[...modelWarnings(results.provenance.answered ?? []), ...judgeWarnings(results.measures)].map(
      (warning) => `Warning: ${warning}`,
    ),
    ...fingerprintNotes(results.provenance.answered ?? []).map((note) => `Note: ${note}`),
  ].join("\n");
}

function layout(rows: readonly (readonly string[])[]): string[] {
  const widths = columns.map((_, i) => Math.max(...rows.map((row) => (row[i] ?? "").length)));
  return rows.map((row) =>
    row
      .map((cell, i) => (i < 2 ? cell.padEnd(widths[i] ?? 0) : cell.padStart(widths[i] ?? 0)))
      .join("  ")
      .trimEnd(),
  );
}

const number = (value: number | null) => (value === null ? "–" : value.toFixed(2));

function signedGap(r: ArmResults): string {
  const { signed } = r.gap.mean;
  return signed === null ? "not estimable" : `${signed > 0 ? "+" : ""}${signed.toFixed(2)}`;
}

/** Of |gap|. */
const interval = ({ ci95 }: Estimate) => (ci95 === null ? "" : `${ci95[0].toFixed(2)} to ${ci95[1].toFixed(2)}`);
const share = ({ value }: Estimate) => (value === null ? "not estimable" : `${(100 * value).toFixed(0)} %`);
const shareInterval = ({ ci95 }: Estimate) =>
  ci95 === null ? "" : `[${(100 * ci95[0]).toFixed(0)} %, ${(100 * ci95[1]).toFixed(0)} %]`;
