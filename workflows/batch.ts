import { condition, patched, upsertSearchAttributes, workflowInfo } from "@temporalio/workflow";
import type { BatchInput, BatchResult, Counts } from "../contract/experiment.ts";
import type { HoldDetail } from "../contract/failures.ts";
import type { Control } from "../contract/messages.ts";
import { allOf } from "./all-of.ts";
import { attributes } from "./attributes.ts";
import { sumSpend } from "../domain/spend.ts";
import { gaveUp, noCounts, settled, sumCounts, total } from "./counts.ts";
import { Relay } from "./relay.ts";
import { shard } from "./shard.ts";
import { shownName } from "./ids.ts";
import { groupName } from "./summaries.ts";

/** Units of a shard: its history stays well below the server's limits. */
const shardUnits = 400;
/** With more windows open than this no further shard starts, else those of a window as wide as a shard would all open at once. */
const mostWindows = 2;

/**
 * All units of a stage for a context. Starts shards so that their tails overlap, counts, and holds when the kept share can no longer reach
 * `minKeptShare`. Up to 100,000 units (250 shards of some 16 events each) it needs no new history.
 */
export async function batch(input: BatchInput): Promise<BatchResult> {
  const { workflowId } = workflowInfo();
  const results = new Map<number, { result: BatchResult; sampleLimit: number }>();
  let { sampleLimit } = input;
  /** A person has seen that too few are kept: no more holds for it until all units have ended. */
  let seen = false;
  /** The sample limit under which a person chose to go on with what is kept; 0 before. A higher one asks anew. */
  let acceptedAt = 0;
  let shown = 0;

  const isAccepted = (): boolean => acceptedAt > 0 && (acceptedAt >= sampleLimit || !patched("repeated-limit"));

  const relay = new Relay({
    orders: { paused: input.paused, window: input.window, sampleLimit },
    total: input.units,
    onControl: (control) => {
      // Whatever else ends, nobody has said yet to go on with what is kept.
      const asked = control.lifted === undefined || isOwn(control.lifted);
      if (control.resume === true && asked && tooFewKept(input, relay.counts)) {
        seen = true;
        // Every order repeats the sample limit that was set last: only a higher one asks for another try.
        const more = control.sampleLimit !== undefined && (control.sampleLimit > sampleLimit || !patched("repeated-limit"));
        acceptedAt = more ? 0 : sampleLimit;
      }
      sampleLimit = Math.max(sampleLimit, control.sampleLimit ?? 0);
    },
    onReport: () => {
      const { counts } = relay;
      if (!seen && !relay.paused && tooFewKept(input, counts)) relay.hold(keptShare(input, counts));
      show(counts);
    },
  });
  relay.listen();

  function show(counts: Counts): void {
    const done = settled(counts);
    if (done - shown < input.units / 10 && done !== input.units) return;
    shown = done;
    upsertSearchAttributes([
      { key: attributes.done, value: done },
      { key: attributes.total, value: input.units },
    ]);
  }

  const runShard = async (n: number, round: number): Promise<void> => {
    const id = `${workflowId}/${n}`;
    const limit = sampleLimit;
    const before = results.get(n)?.result;
    relay.forget(id);
    // What is done stays so: only the others are worked again.
    const kept = before?.gaveUp === undefined ? null : { counts: { ...noCounts, done: before.counts.done }, spend: before.spend };
    if (kept !== null) relay.settle(id, kept);
    const { from, to } = { from: n * shardUnits, to: Math.min(input.units, (n + 1) * shardUnits) };
    const result = await relay.team.run(shard, {
      id: round === 0 ? id : `${id}/again-${round}`,
      unit: input.allowance,
      input: (orders) => ({
        ...input,
        ...orders,
        paused: relay.paused,
        shard: n,
        from,
        to,
        ...(kept === null ? {} : { only: before?.gaveUp ?? [] }),
      }),
      staticSummary: `${input.group.stage} ${groupName(input.group)}, ${from}–${to - 1}`,
    });
    const whole = kept === null ? result : { ...result, ...sumResults(kept, result) };
    results.set(n, { result: whole, sampleLimit: limit });
    relay.settle(id, whole);
  };

  const tailsFit = (): boolean => relay.open <= mostWindows * (relay.team.orders.window ?? input.window);

  /** The next shard starts when all units of the one before are scheduled, so that the width stays in use. */
  const runRound = async (shards: readonly number[], round: number): Promise<void> => {
    const running: Promise<void>[] = [];
    try {
      for (const n of shards) {
        const one = runShard(n, round);
        one.catch(() => undefined);
        running.push(one);
        // An ended shard is no member any more.
        await condition(
          () => relay.team.members.every(({ allScheduled }) => allScheduled) && (tailsFit() || !patched("bounded-tails")),
        );
      }
    } finally {
      await allOf(running);
    }
  };

  const all = Array.from({ length: Math.ceil(input.units / shardUnits) }, (_, n) => n);
  await runRound(all, 0);
  /** Shards with units that gave up after fewer samples than they may use by now. */
  const redo = (): number[] =>
    all.filter((n) => {
      const last = results.get(n);
      return last !== undefined && gaveUp(last.result.counts) > 0 && last.sampleLimit < sampleLimit;
    });
  for (let round = 1; ; round += 1) {
    let again = redo();
    // Units that were open when more samples were granted give up once more by the old limit: they are done again, not held for.
    if (again.length === 0 && !isAccepted() && tooFewKept(input, relay.counts)) {
      do {
        // Another hold may be on, and end without a word on this one.
        relay.hold(keptShare(input, relay.counts));
        await condition(() => !relay.paused);
        again = redo();
      } while (again.length === 0 && !isAccepted() && patched("hold-until-accepted"));
    }
    if (again.length === 0) break;
    seen = acceptedAt >= sampleLimit && patched("repeated-limit");
    if (!seen) acceptedAt = 0;
    await runRound(again, round);
  }
  const whole = sumResults(...[...results.values()].map(({ result }) => result));
  show(whole.counts);
  return whole;
}

/** Whether it was this batch that held because too few were kept. */
function isOwn({ reason, from }: NonNullable<Control["lifted"]>): boolean {
  return (
    reason === "kept-share" &&
    from !== null &&
    (workflowInfo().workflowId === from || workflowInfo().workflowId.startsWith(`${from}/`))
  );
}

function sumResults(...parts: readonly Pick<BatchResult, "counts" | "spend">[]): Pick<BatchResult, "counts" | "spend"> {
  return { counts: sumCounts(parts.map(({ counts }) => counts)), spend: sumSpend(parts.map(({ spend }) => spend)) };
}

/** True once so many gave up that the kept share can't be reached any more. */
function tooFewKept({ units, minKeptShare }: BatchInput, counts: Counts): boolean {
  return gaveUp(counts) > units * (1 - minKeptShare) + 1e-9;
}

function keptShare({ run: of, units, minKeptShare, group }: BatchInput, counts: Counts): HoldDetail {
  const run = shownName(of, workflowInfo().workflowId);
  const reasons = Object.entries({ ...counts.dropped, ...counts.failed })
    .toSorted(([, a], [, b]) => b - a)
    .slice(0, 5)
    .map(([reason, count]) => `${reason} ${count}`)
    .join(", ");
  return {
    reason: "kept-share",
    message: `${group.stage} ${groupName(group)}: ${total(counts.dropped)} dropped and ${total(counts.failed)} failed of ${units} (${reasons}); at least ${Math.round(minKeptShare * 100)} % must be kept`,
    remedy: `Look at the reasons. Go on with what is kept: npx attune resume ${run}. Give each turn more samples: npx attune retry ${run} --samples 8. Else cancel, change the prompts or rules, and run again.`,
  };
}
