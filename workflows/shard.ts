import {
  ActivityFailure,
  ApplicationFailure,
  CancellationScope,
  condition,
  isCancellation,
  patched,
  setHandler,
  workflowInfo,
} from "@temporalio/workflow";
import type { BatchResult, Counts, ShardInput } from "../contract/experiment.ts";
import { failures } from "../contract/failures.ts";
import type { HoldDetail } from "../contract/failures.ts";
import type { UnitInput, UnitOutcome } from "../contract/units.ts";
import { units } from "./activities.ts";
import { noSpend, sumSpend } from "../domain/spend.ts";
import { countOutcome, noCounts, settled } from "./counts.ts";
import { Purse } from "./purse.ts";
import { onControl, partProgressQuery } from "./signals.ts";
import { watchForStall } from "./stall.ts";
import { unitSummary } from "./summaries.ts";
import { Upward } from "./upward.ts";

/**
 * Runs units [from, to) through one activity in a bounded window; ends when every unit has an outcome. A unit that gives up is recorded with its
 * reason; a held one goes back to the front and nothing new starts until the parent says so. Never continues as new.
 */
export async function shard(input: ShardInput): Promise<BatchResult> {
  const queue = [...(input.only ?? Array.from({ length: input.to - input.from }, (_, i) => input.from + i))];
  const size = queue.length;
  const open = new Set<number>();
  const gaveUp = new Map<number, UnitOutcome>();
  const heldBefore = new Set<number>();
  const purse = new Purse({ unit: input.allowance, unlimited: input.unlimited });
  const upward = new Upward(size);
  /** Windows of conversations that one draw is for. */
  const ahead = !input.unlimited && patched("draw-ahead") ? 2 : 1;
  let { paused, window, sampleLimit } = input;
  let done = 0;
  let spend = noSpend;
  let held = false;
  /** Of the last report while held: what ends after that may end the hold. */
  let settledAtHold = 0;
  let saidScheduled = false;
  let newestControl = 0;
  /** Rises with every change that may let something start or end. */
  let changes = 0;

  const counts = (): Counts => [...gaveUp.values()].reduce<Counts>(countOutcome, { ...noCounts, done });
  const watched = {
    lastAt: Date.now(),
    get waiting() {
      return open.size > 0 && !paused && !held;
    },
  };

  const report = ({ hold = null, urgent = false }: { hold?: HoldDetail | null; urgent?: boolean } = {}): void => {
    const allScheduled = queue.length === 0;
    const soon = Math.min(window, queue.length);
    const draw = paused || held ? null : purse.draw(spend, open.size, Math.min(window * ahead, queue.length), soon);
    const stuck = purse.waits && open.size === 0;
    const moved = held && settled(counts()) > settledAtHold && patched("news-while-held");
    const news = urgent || hold !== null || draw !== null || stuck || moved || (allScheduled && !saidScheduled);
    if (hold !== null || moved) settledAtHold = settled(counts());
    if (upward.send({ counts: counts(), spend, open: open.size, allScheduled, draw, hold }, news)) saidScheduled = allScheduled;
  };

  const holdBecause = (hold: HoldDetail): void => {
    if (held) return;
    held = true;
    report({ hold });
  };

  onControl((control) => {
    if (control.resume === true || paused) watched.lastAt = Date.now();
    upward.obeyed(control);
    if (control.resume === true) held = false;
    if (control.seq > newestControl) {
      newestControl = control.seq;
      paused = control.paused;
      window = control.window ?? window;
    }
    if (control.grant !== undefined) purse.take(control.grant);
    if (control.sampleLimit !== undefined && control.sampleLimit > sampleLimit) {
      sampleLimit = control.sampleLimit;
      queue.unshift(...gaveUp.keys());
      gaveUp.clear();
    }
    changes += 1;
  });
  setHandler(partProgressQuery, () => ({ counts: counts(), total: size, open: open.size, paused: paused || held }));

  const { stage } = input.group;
  const start = async (unit: number): Promise<void> => {
    open.add(unit);
    const { run, group, allowance, inputs, serving } = input;
    const unitInput: UnitInput = {
      run,
      group,
      unit,
      sampleLimit,
      allowance,
      inputs,
      ...(heldBefore.has(unit) ? { again: true } : {}),
      ...(serving === undefined ? {} : { serving }),
    };
    try {
      const outcome = await units(input.queues.llm, unitSummary(group, unit))[stage](unitInput);
      spend = sumSpend([spend, outcome.spend]);
      if (outcome.status === "done") done += 1;
      else gaveUp.set(unit, outcome);
      heldBefore.delete(unit);
      watched.lastAt = Date.now();
    } catch (error) {
      if (isCancellation(error)) return;
      const hold = holdOf(error);
      if (hold === null) gaveUp.set(unit, { status: "failed", reason: reasonOf(error), spend: noSpend });
      else {
        queue.unshift(unit);
        heldBefore.add(unit);
        holdBecause(hold);
      }
    } finally {
      open.delete(unit);
      changes += 1;
    }
  };

  const mayStart = (): boolean => !paused && !held && open.size < window && purse.mayStart(spend, open.size);
  const moveAlong = async (): Promise<void> => {
    for (;;) {
      const seen = changes;
      while (mayStart()) {
        const unit = queue.shift();
        if (unit === undefined) break;
        void start(unit);
      }
      if (queue.length === 0 && open.size === 0) return;
      report();
      await condition(() => changes !== seen);
    }
  };

  const stallWatch = new CancellationScope();
  const stalls = stallWatch.run(() =>
    watchForStall(input.stallHoldMs, watched, () => holdBecause(stalled(input.stallHoldMs, open.size))),
  );
  stalls.catch(() => undefined);
  try {
    await moveAlong();
  } catch (error) {
    // Cancelled: each open conversation still says how it ended, so that none is cut off in mid-record.
    await CancellationScope.nonCancellable(() => condition(() => open.size === 0));
    throw error;
  } finally {
    stallWatch.cancel();
  }
  return { counts: counts(), spend, gaveUp: [...gaveUp.keys()].toSorted((a, b) => a - b) };
}

function holdOf(error: unknown): HoldDetail | null {
  if (!(error instanceof ActivityFailure && error.cause instanceof ApplicationFailure && error.cause.type === failures.held))
    return null;
  const detail = error.cause.details?.[0] as HoldDetail | undefined;
  return (
    detail ?? { reason: "operator", message: error.cause.message, remedy: "Look at the failed activity, then: npx attune resume" }
  );
}

/** The failure's type, as counts name it. */
function reasonOf(error: unknown): string {
  if (!(error instanceof ActivityFailure)) throw error;
  return error.cause instanceof ApplicationFailure ? (error.cause.type ?? "Error") : (error.cause?.name ?? "Error");
}

function stalled(limitMs: number, open: number): HoldDetail {
  return {
    reason: "stalled",
    message: `No conversation of ${workflowInfo().workflowId} has ended for ${limitMs / 1000} s; ${open} are open`,
    remedy:
      "Look for the cause with npx attune status or at its pending activities (a provider that is down, a call that fails where no other is asked, no llm worker). It goes on by itself when one ends, or with: npx attune resume",
  };
}
