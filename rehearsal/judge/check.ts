import { contextIds, loadCorpus } from "../corpus.ts";
import { labelRows, type LabelRow, type LabelSet } from "../export-rows.ts";
import { overall, rate } from "./judge.ts";
import { loadRules } from "./rules.ts";

// How far the declared rules are from the author's scores, on levels 1–5. `node rehearsal/judge/check.ts [labels|anchors]`

interface Point {
  readonly row: LabelRow;
  readonly scored: number;
  readonly judged: number;
}

function ranks(values: readonly number[]): number[] {
  const order = values.map((value, at) => ({ value, at })).toSorted((one, other) => one.value - other.value);
  const result = values.map(() => 0);
  for (let start = 0; start < order.length;) {
    let end = start;
    while (end < order.length && order[end]?.value === order[start]?.value) end++;
    for (const { at } of order.slice(start, end)) result[at] = (start + end - 1) / 2;
    start = end;
  }
  return result;
}

const mean = (values: readonly number[]): number => values.reduce((sum, value) => sum + value, 0) / values.length;

function pearson(one: readonly number[], other: readonly number[]): number {
  const [a, b] = [mean(one), mean(other)];
  const covariance = mean(one.map((value, at) => (value - a) * ((other[at] ?? b) - b)));
  const spread = (values: readonly number[], center: number) => Math.sqrt(mean(values.map((value) => (value - center) ** 2)));
  return covariance / (spread(one, a) * spread(other, b));
}

function line(name: string, points: readonly Point[]): string {
  const [scored, judged] = [points.map((point) => point.scored), points.map((point) => point.judged)];
  const mae = mean(points.map((point) => Math.abs(point.judged - point.scored)));
  const rho = new Set(scored).size > 1 ? pearson(ranks(scored), ranks(judged)).toFixed(2) : "–";
  return `${name.padEnd(18)} n ${String(points.length).padStart(4)}  MAE ${mae.toFixed(2)}  Spearman ${rho.padStart(5)}  mean scored ${mean(scored).toFixed(2)} judged ${mean(judged).toFixed(2)}`;
}

const asked = process.argv[2] ?? "labels";
const chosen: readonly LabelSet[] = asked === "anchors" ? ["anchors"] : ["guide", "evaluator"];
const [corpus, rules] = [loadCorpus(), loadRules()];
const points = chosen
  .flatMap((set) => labelRows(corpus, set))
  .map((row) => ({
    row,
    scored: 1 + 4 * row.label,
    judged: overall(
      rate(
        { said: row.messages.filter((message) => message.role === "user").map((message) => message.content), reply: row.reply },
        rules,
      ),
    ),
  }));
process.stdout.write(`${line(asked, points)}\n`);
for (const context of contextIds)
  process.stdout.write(
    `${line(
      context,
      points.filter(({ row }) => row.context === context),
    )}\n`,
  );
for (const kind of new Set(points.map(({ row }) => row.kind)))
  process.stdout.write(
    `${line(
      kind,
      points.filter(({ row }) => row.kind === kind),
    )}\n`,
  );
const graded = points.filter(({ row }) => ["cold", "graded", "over-warm"].includes(row.kind));
for (const level of [1, 2, 3, 4, 5])
  process.stdout.write(
    `${line(
      `sentences of ${level}`,
      graded.filter(({ scored }) => Math.round(scored) === level),
    )}\n`,
  );
