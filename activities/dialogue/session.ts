import { setTimeout as delay } from "node:timers/promises";
import { Context } from "@temporalio/activity";
import type { ResolvedExperiment } from "../../configs/schema/resolved.ts";
import type { UnitHeartbeat } from "../../contract/activities.ts";
import type { UnitInput, UnitOutcome } from "../../contract/units.ts";
import { noSpend } from "../../domain/spend.ts";
import type { Answer, CallRequest, ChatMessage } from "../../platform/llm/client.ts";
import { GaveUpError, RefusedRequestError } from "../../platform/llm/errors.ts";
import { conversationMeter } from "../../platform/llm/meter.ts";
import type { Deps } from "../deps.ts";
import { withTypedFailures } from "../failures.ts";
import { ledgerRun } from "../stages/records.ts";
import { isFinal, readUnit, unitName, writeUnit } from "../units.ts";
import type { RoleModel } from "./models.ts";

/**
 * Two thirds of the heartbeat timeout at most, and never all units at once: a beat costs the server as much as a result. Every call has a timeout of
 * its own, so a hang can't hide behind it.
 */
const heartbeatMs = () => 8000 + 2000 * Math.random();
/** Units that end within so long are reported together: one workflow task for all of them. */
const reportMs = 100;

interface Ask {
  readonly role: CallRequest["role"];
  readonly model: RoleModel;
  readonly weights?: string;
  readonly messages: readonly ChatMessage[];
  readonly maxTokens: number;
  readonly turn: number;
  readonly sample: number;
  readonly schema?: NonNullable<CallRequest["schema"]>;
  /** The run's, unless told: what every night shares is asked under none. */
  readonly epoch?: string;
}

/** One unit at work: its configuration, and calls that are metered, labelled and told to the heartbeat. */
export interface Session {
  readonly deps: Deps;
  readonly config: ResolvedExperiment;
  readonly input: UnitInput;
  /** `distress-00007` */
  readonly name: string;
  ask(ask: Ask): Promise<Answer>;
}

/** A unit's work ends in a row, or is dropped by the stage's own rules. */
export type Finished = { readonly row: unknown } | { readonly dropped: string };

/**
 * Runs one unit: a unit that has its record is not worked again, unless it gave up under a lower sample limit. `subject` names the conversation it
 * works on where that is not its own index.
 */
export async function runUnit(
  deps: Deps,
  input: UnitInput,
  work: (session: Session) => Promise<Finished>,
  { subject = unitName(input.group.context, input.unit), basis = "" }: { subject?: string | undefined; basis?: string } = {},
): Promise<UnitOutcome> {
  const context = Context.current();
  const signal = context.cancellationSignal;
  const { run, group, unit } = input;
  return withTypedFailures(signal, async () => {
    const begun = context.info.attempt > 1 || input.again === true;
    const before = await readUnit(deps, run, group, unit);
    // An attempt that recorded its outcome and could not report it has not said what it spent.
    if (before !== null && isFinal(before, { subject, basis, sampleLimit: input.sampleLimit }))
      return begun ? before.outcome : { ...before.outcome, spend: noSpend };
    const config = await deps.config(run);
    const meter = conversationMeter(input.allowance, begun ? ledgerRun(run) : null);
    // One that was begun elsewhere, and cut off there, does not stand in line with those that were not.
    let progress = begun ? 1 : 0;
    let beat: UnitHeartbeat = { turn: 0 };
    const timer = setInterval(() => context.heartbeat(beat), heartbeatMs());
    const session: Session = {
      deps,
      config,
      input,
      name: subject,
      ask: ({ role, model, weights = null, messages, maxTokens, turn, sample, schema = null, epoch = run.epoch }) => {
        beat = { turn };
        progress += 1;
        return deps.caller.call({
          role,
          endpoint: model.endpoint,
          model: model.model,
          weights,
          price: model.price,
          messages,
          sampling: { temperature: model.temperature, topP: model.topP, maxTokens },
          schema,
          unit: `${config.experiment.seed}/${group.stage}/${group.split ?? "pairs"}/${subject}`,
          turn,
          sample,
          epoch,
          labels: { run: ledgerRun(run), stage: group.stage, context: group.context, arm: group.arm ?? "" },
          meter,
          progress: progress - 1,
          signal,
          onRetry: (cause, nextTryAt) => {
            beat = { turn, cause, nextTryAt: nextTryAt.toISOString() };
            context.heartbeat(beat);
          },
        });
      },
    };
    try {
      const finished = await work(session).catch((error: unknown) => {
        // Only this request is wrong; the rest of the batch may well be fine.
        if (!(error instanceof RefusedRequestError)) throw error;
        deps.log.warn(`Gave up ${group.stage} of ${subject}: ${error.message}`, { run: run.name, unit });
        return { failed: error instanceof GaveUpError ? "gave-up" : "refused-request" };
      });
      const spend = meter.spend;
      const outcome: UnitOutcome =
        "row" in finished
          ? { status: "done", spend }
          : "dropped" in finished
            ? { status: "dropped", reason: finished.dropped, spend }
            : { status: "failed", reason: finished.failed, spend };
      const stored = await writeUnit(deps, run, group, unit, {
        outcome,
        row: "row" in finished ? finished.row : null,
        subject,
        basis,
        sampleLimit: input.sampleLimit,
      });
      await delay(reportMs - (Date.now() % reportMs));
      return { ...stored.outcome, spend };
    } finally {
      clearInterval(timer);
    }
  });
}
