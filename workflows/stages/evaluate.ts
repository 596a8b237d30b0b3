import type { Ref } from "../../contract/ref.ts";
import { stageKey } from "../../contract/stages.ts";
import type { StageRecord } from "../../contract/stages.ts";
import { attributes } from "../attributes.ts";
import { evaluation } from "../evaluation.ts";
import type { ContextPieces } from "./context.ts";
import { ordered } from "../ordered.ts";
import { output } from "./outputs.ts";
import { childId, piece } from "./pieces.ts";
import type { Tree } from "./pieces.ts";

/** Every backbone, one after the other: they share the node. */
export async function evaluateAll(
  tree: Tree,
  evaluator: StageRecord,
  byContext: Readonly<Record<string, ContextPieces>>,
): Promise<readonly StageRecord[]> {
  const scorers: Record<string, Ref> = { evaluator: output(evaluator, "model") };
  const madeFrom = [evaluator];
  for (const [context, { preference }] of Object.entries(byContext)) {
    if (preference === null) continue;
    scorers[`preference-${context}`] = output(preference, "model");
    madeFrom.push(preference);
  }
  const records: StageRecord[] = [];
  for (const backbone of tree.input.plan.backbones) {
    const trained = Object.entries(byContext).flatMap(([context, { adapters }]) =>
      adapters[backbone] === undefined ? [] : [{ context, record: adapters[backbone] }],
    );
    const adapters = Object.fromEntries(trained.map(({ context, record }) => [context, output(record, "adapter")]));
    const key = stageKey("evaluate", backbone);
    records.push(
      await piece(tree, key, () => runEvaluation(tree, backbone, adapters, scorers), [
        ...madeFrom,
        ...trained.map(({ record }) => record),
      ]),
    );
  }
  return records;
}

function runEvaluation(
  { director, input }: Tree,
  backbone: string,
  adapters: Readonly<Record<string, Ref>>,
  scorers: Readonly<Record<string, Ref>>,
): Promise<StageRecord> {
  const { run, queues, plan } = input;
  return director.team.run(evaluation, {
    id: childId("eval", backbone),
    unit: plan.allowance.evaluate,
    input: (orders) => ({
      run,
      queues,
      plan: ordered(plan, orders),
      backbone,
      adapters,
      scorers,
      unlimited: !director.caps("evaluate"),
      paused: orders.paused,
    }),
    staticSummary: `evaluation of ${backbone}`,
    typedSearchAttributes: [
      { key: attributes.experiment, value: run.name },
      { key: attributes.stage, value: "evaluate" },
      { key: attributes.backbone, value: backbone },
    ],
  });
}
