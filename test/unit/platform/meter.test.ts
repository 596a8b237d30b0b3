import * as fc from "fast-check";
import { describe, expect, it } from "vitest";
import { HoldError } from "../../../platform/llm/errors.ts";
import { conversationMeter } from "../../../platform/llm/meter.ts";

const recorded = (run: string, usd: number | null) => ({ labels: { run, stage: "converse", context: "distress", arm: "" }, usd });

describe("conversationMeter", () => {
  it("never lets more calls out than the allowance, however they overlap", () => {
    const step = fc.record({ settle: fc.boolean(), overlap: fc.boolean() });
    fc.assert(
      fc.property(fc.nat(8), fc.array(step, { maxLength: 40 }), (calls, steps) => {
        const meter = conversationMeter({ calls, usd: null });
        const open = [];
        for (const { settle, overlap } of steps) {
          try {
            open.push(meter.reserve(null));
          } catch (error) {
            expect(error).toBeInstanceOf(HoldError);
          }
          expect(meter.spend.calls + open.length).toBeLessThanOrEqual(calls);
          if (overlap) continue;
          for (const reservation of open.splice(0)) {
            if (settle) reservation.settle(1);
            else reservation.cancel();
          }
        }
      }),
    );
  });

  it("settles once: a reservation that was settled can't be cancelled", () => {
    const meter = conversationMeter({ calls: 1, usd: null });
    const reservation = meter.reserve(0.1);
    reservation.settle(0.25);
    reservation.cancel();
    reservation.settle(9);
    expect(meter.spend).toEqual({ calls: 1, reread: 0, usd: 0.25 });
    expect(() => meter.reserve(0.1)).toThrow(HoldError);
  });

  it("holds at the cost cap, counting calls that are under way", () => {
    const meter = conversationMeter({ calls: null, usd: 1 });
    const first = meter.reserve(0.6);
    const second = meter.reserve(0.6);
    expect(() => meter.reserve(0.6)).toThrow(/\$1/);
    first.settle(0.1);
    second.settle(0.1);
    expect(() => meter.reserve(0.6).cancel()).not.toThrow();
  });

  it("knows no sum as soon as one price is unknown", () => {
    const meter = conversationMeter({ calls: null, usd: null });
    meter.reserve(null).settle(null);
    meter.reserve(null).settle(0.5);
    meter.reread(recorded("run", 1));
    expect(meter.spend).toEqual({ calls: 2, reread: 1, usd: null });
  });

  it("counts what an earlier attempt paid for when it is read again, beside the allowance", () => {
    const meter = conversationMeter({ calls: 2, usd: null }, "run");
    for (const call of [recorded("run", 0.5), recorded("run", 0.25), recorded("another run", 4)]) meter.reread(call);
    meter.reserve(1).settle(1);
    expect(meter.spend).toEqual({ calls: 3, reread: 3, usd: 1.75 });
    expect(() => meter.reserve(1).settle(null)).not.toThrow();
    expect(() => meter.reserve(1)).toThrow(/2 calls/);
    expect(meter.spend.usd).toBeNull();
  });

  it("says what to do", () => {
    const meter = conversationMeter({ calls: 0, usd: null });
    expect(() => meter.reserve(null)).toThrowError(
      expect.objectContaining({
        detail: expect.objectContaining({ reason: "budget", remedy: expect.stringContaining("attune resume") }),
      }),
    );
  });
});
