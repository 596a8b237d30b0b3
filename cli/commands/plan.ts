import { planFor } from "../../configs/schema/plan.ts";
import { experimentWorkflowId } from "../../contract/places.ts";
import type { RunRef } from "../../contract/units.ts";
import { frugal, lavish, typical } from "../config/assumptions.ts";
import { estimateCalls, type StageEstimate } from "../config/call-estimate.ts";
import { loadExperiment } from "../config/experiment.ts";
import { checkMoney, costsNothing } from "../config/money.ts";
import { resolveExperiment } from "../config/resolve.ts";
import { commandOutput } from "../output.ts";
import { openProject, withStores } from "../project.ts";
import { earlierRuns, extended, finishedUnits, rereadUnits } from "../server/earlier.ts";
import { readPieces } from "../server/pieces.ts";
import { knownRuns } from "../server/runs.ts";
import { planText } from "../view/plan.ts";

interface Options {
  readonly json?: boolean;
  readonly set?: readonly string[];
}

/** What a stage will ask and cost: as measured, and at its least and most. */
export interface PlannedStage {
  readonly stage: StageEstimate["stage"];
  /** Conversations in all, and those that a run of the same digest has finished. */
  readonly units: number;
  readonly done: number;
  /** Conversations that an earlier run finished which this one only adds to: their calls are read again. */
  readonly reread: number;
  readonly calls: number;
  /** Calls left to make, reckoned by the conversations that are not finished. */
  readonly callsLeft: number;
  readonly studentCalls: number;
  /** Of the calls left, by the assumptions of the same name. usd null: a price is unknown. */
  readonly low: Amount;
  readonly mid: Amount;
  readonly high: Amount;
}

interface Amount {
  readonly calls: number;
  readonly inputTokens: number;
  readonly outputTokens: number;
  readonly usd: number | null;
}

/** `attune plan FILE`: what a run would ask, use and cost, and what it would reuse. Asks the providers for their models; pays and starts nothing. */
export async function plan(file: string, options: Options): Promise<void> {
  const output = commandOutput(options);
  const project = await openProject();
  const experiment = await loadExperiment(file, { env: project.env, sets: options.set ?? [] });
  checkMoney(experiment);
  const { resolved, digest } = await resolveExperiment(experiment, file, project);
  const run = { name: experiment.name, digest, epoch: "" } as RunRef;
  await withStores(project, async (stores) => {
    const pieces = await readPieces(stores, run, planFor(resolved), { verify: true });
    const assumptions = { low: frugal(experiment), mid: typical, high: lavish(experiment) };
    const mid = estimateCalls(resolved, assumptions.mid);
    const [low, high] = [estimateCalls(resolved, assumptions.low), estimateCalls(resolved, assumptions.high)];
    const { converse, evaluate, contexts, backbones } = experiment;
    const talks = converse.conversations * contexts.length;
    const units = {
      converse: talks,
      steer: talks,
      evaluate: evaluate.conversations * contexts.length * evaluate.arms.length * backbones.length,
    };
    const base = extended(await earlierRuns(stores, await knownRuns(stores.records), { digest, resolved }));
    const stages: PlannedStage[] = [];
    for (const [i, typically] of mid.entries()) {
      const { stage, calls, studentCalls } = typically;
      const sealed = pieces.filter(({ key }) => key.split("/")[0] === stage).every(({ whole }) => whole);
      const done = sealed ? units[stage] : Math.min(units[stage], await finishedUnits(stores.records, run, stage));
      const known = base === null ? 0 : await rereadUnits(stores.records, base, stage);
      const reread = Math.max(0, Math.min(units[stage], known) - done);
      const left = 1 - (done + reread) / units[stage];
      stages.push({
        stage,
        units: units[stage],
        done,
        reread,
        calls,
        callsLeft: Math.round(calls * left),
        studentCalls: Math.round(studentCalls * left),
        low: amount(low[i], left),
        mid: amount(typically, left),
        high: amount(high[i], left),
      });
    }
    const reused = pieces.filter(({ whole }) => whole).map(({ key }) => key);
    const made = pieces.filter(({ whole }) => !whole).map(({ key }) => key);
    const workflowId = experimentWorkflowId(run);
    const { budget } = experiment;
    const adds = base?.known.workflowId ?? null;
    output.result(
      { workflowId, digest, extends: adds, stages, assumptions, reused, made, budget },
      planText({ workflowId, extended: adds, stages, reused, made, budget, free: costsNothing(experiment) }),
    );
  });
}

function amount(estimate: StageEstimate | undefined, left: number): Amount {
  const { calls = 0, inputTokens = 0, outputTokens = 0, usd = 0 } = estimate ?? {};
  return {
    calls: Math.round(calls * left),
    inputTokens: Math.round(inputTokens * left),
    outputTokens: Math.round(outputTokens * left),
    usd: usd === null ? null : usd * left,
  };
}
