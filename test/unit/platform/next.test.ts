import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { nextOf } from "../../../platform/llm/next.ts";

const progresses = fc.array(fc.record({ progress: fc.nat(20) }), { minLength: 1, maxLength: 100 });

describe("whose call goes next", () => {
  it("is the furthest while more than a width waits, the least far when fewer do, the longest wait among equals", () => {
    fc.assert(
      fc.property(progresses, fc.integer({ min: 1, max: 100 }), (waiting, width) => {
        const levels = waiting.map(({ progress }) => progress);
        const level = waiting.length > width ? Math.max(...levels) : Math.min(...levels);
        expect(nextOf(waiting, width)).toBe(waiting[levels.indexOf(level)]);
      }),
    );
  });

  it("is nobody where nobody waits", () => {
    expect(nextOf([], 4)).toBeUndefined();
  });
});
