import { allHandlersFinished, ApplicationFailure, condition, patched, setHandler, workflowInfo } from "@temporalio/workflow";
import type { Night } from "../contract/activities.ts";
import type { NightlyInput, NightlyResult } from "../contract/experiment.ts";
import type { RaiseBudget, RetryUnits, SetWidth } from "../contract/messages.ts";
import type { Queues } from "../contract/queues.ts";
import { stageKey } from "../contract/stages.ts";
import { control } from "./activities.ts";
import { attributes, scheduledStart } from "./attributes.ts";
import { Board } from "./board.ts";
import { Director } from "./director.ts";
import { evaluation } from "./evaluation.ts";
import { noSpend } from "../domain/spend.ts";
import { ordered } from "./ordered.ts";
import { pauseUpdate, progressQuery, raiseBudgetUpdate, resumeUpdate, retryUnitsUpdate, setWidthUpdate } from "./signals.ts";

/** A night: the published experts on the reference's own items, with fresh answers. A regression is a result, not a failure. */
export async function nightly({ experiment, queues }: NightlyInput): Promise<NightlyResult> {
  try {
    const early = takeEarlyOrders();
    const night = await control(queues.control, `what ${experiment} evaluates tonight`).openNight({
      experiment,
      night: nightOf(),
    });
    const director = await evaluateNight(night, queues, early);
    if (director.state !== "running" && patched("gate-before-verdict")) await director.gate();
    return await control(queues.control, "tonight against the reference").judgeNight({ run: night.run, night });
  } finally {
    await condition(allHandlersFinished);
  }
}

/** Until a night knows what it evaluates it can be paused and looked at; other orders are refused. Its director takes over from here. */
function takeEarlyOrders(): { readonly paused: boolean } {
  const early = { paused: false };
  setHandler(pauseUpdate, () => void (early.paused = true));
  setHandler(resumeUpdate, () => void (early.paused = false));
  setHandler<void, [SetWidth], typeof setWidthUpdate>(setWidthUpdate, () => undefined, { validator: tooEarly });
  setHandler<void, [RaiseBudget], typeof raiseBudgetUpdate>(raiseBudgetUpdate, () => undefined, { validator: tooEarly });
  setHandler<void, [RetryUnits], typeof retryUnitsUpdate>(retryUnitsUpdate, () => undefined, { validator: tooEarly });
  const budget = { calls: null, usd: null };
  const state = () => (early.paused ? ("paused" as const) : ("running" as const));
  setHandler(progressQuery, () => ({ state: state(), hold: null, stages: [], spend: noSpend, budget }));
  return early;
}

function tooEarly(): never {
  throw ApplicationFailure.nonRetryable("This night does not know yet what it evaluates: try again in a moment", "Refused");
}

/** When the schedule meant it to start, to the second: `2026-03-01T03-00-00`. Two nights never share their answers. */
function nightOf(): string {
  const { typedSearchAttributes, startTime } = workflowInfo();
  const start = typedSearchAttributes.get(scheduledStart) ?? startTime;
  return start.toISOString().slice(0, 19).replaceAll(":", "-");
}

async function evaluateNight(
  { run, plan, adapters, scorers }: Night,
  queues: Queues,
  early: { readonly paused: boolean },
): Promise<Director> {
  const { workflowId } = workflowInfo();
  const { conversations, arms } = plan.evaluation;
  const total = conversations * plan.contexts.length * arms.length;
  const childId = (backbone: string) => `${workflowId}/eval/${backbone}`;
  const keys = new Map(plan.backbones.map((backbone) => [childId(backbone), stageKey("evaluate", backbone)]));
  // A night is bounded by its items, so it draws from no budget; a cap that nobody can raise would stop it for good.
  const noCap = { calls: null, usd: null };
  const uncapped = { ...plan, allowance: { converse: noCap, steer: noCap, evaluate: noCap } };
  const director: Director = new Director({
    run,
    controlQueue: queues.control,
    budget: noCap,
    window: plan.window,
    leastSamples: Math.min(...Object.values(plan.sampleLimit)),
    changed: () => board.show(),
  });
  const board = new Board(
    [...keys.values()].map((key) => ({ key, stage: "evaluate" as const, total })),
    () => ({ state: director.state, hold: director.hold, spend: director.spend, budget: director.budget }),
  );
  director.listen((member) => board.counted(keys.get(member.id) ?? "", member));
  setHandler(progressQuery, () => board.progress);
  if (early.paused) director.pause();
  for (const backbone of plan.backbones) {
    const key = stageKey("evaluate", backbone);
    await director.gate();
    board.running(key);
    const record = await director.team.run(evaluation, {
      id: childId(backbone),
      unit: noCap,
      input: (orders) => ({
        run,
        queues,
        plan: ordered(uncapped, orders),
        backbone,
        adapters: adapters[backbone] ?? {},
        scorers,
        unlimited: true,
        paused: orders.paused,
      }),
      staticSummary: `night of ${backbone}`,
      typedSearchAttributes: [
        { key: attributes.experiment, value: run.name },
        { key: attributes.stage, value: "evaluate" },
        { key: attributes.backbone, value: backbone },
      ],
    });
    board.ended(key, "done", record);
  }
  return director;
}
