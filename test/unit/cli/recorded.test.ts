import { expect, test } from "vitest";
import { isOpen, nameRuns, select } from "../../../cli/cache/recorded.ts";
import type { KnownRun } from "../../../cli/server/runs.ts";
import type { RunCalls } from "../../../platform/calls/cache.ts";

const a = "a1".repeat(32);
const b = "b2".repeat(32);
const c = "c3".repeat(32);
const now = Date.parse("2026-03-01T00:00:00Z");

const calls = (run: string, lastUsedAt: string): RunCalls => ({
  run,
  lastUsedAt,
  calls: 1,
  inputTokens: 1,
  cachedInputTokens: 0,
  outputTokens: 1,
  knownUsd: 0,
  unpriced: 0,
  bytes: 1,
});
const known = [b, a].map((digest) => ({ run: { name: "quick", digest } }) as KnownRun);
const recorded = nameRuns(
  [
    calls(a, "2026-01-01T00:00:00Z"),
    calls(b, "2026-02-28T00:00:00Z"),
    calls(`${b}@2026-02-27T03-00-00`, "2026-02-27T03:00:00Z"),
    calls(c, "2026-02-01T00:00:00Z"),
  ],
  known,
);
const selected = (selectors: Parameters<typeof select>[2]) => select(recorded, known, selectors, now).map(({ name }) => name);
const day = 86_400_000;

test("runs have the names that people use; a night has its own", () => {
  expect(recorded.map(({ name }) => name)).toEqual([
    "quick/a1a1a1a1a1a1",
    "quick/b2b2b2b2b2b2",
    "quick/b2b2b2b2b2b2@2026-02-27T03-00-00",
    "c3c3c3c3c3c3",
  ]);
  expect(recorded.map((run) => run.known)).toEqual([true, true, true, false]);
});

test("a run is named by its experiment (its newest), by digest or as it is listed", () => {
  expect(selected({ run: "quick" })).toEqual(["quick/b2b2b2b2b2b2"]);
  expect(selected({ run: "quick/a1a1" })).toEqual(["quick/a1a1a1a1a1a1"]);
  expect(selected({ run: "exp/quick/a1a1a1a1a1a1" })).toEqual(["quick/a1a1a1a1a1a1"]);
  expect(selected({ run: "c3c3c3c3c3c3" })).toEqual(["c3c3c3c3c3c3"]);
  expect(selected({ run: "quick/b2b2b2b2b2b2@2026-02-27T03-00-00" })).toEqual(["quick/b2b2b2b2b2b2@2026-02-27T03-00-00"]);
  expect(() => selected({ run: "quik" })).toThrow(/did you mean quick\?/);
  expect(() => selected({ run: "c3" })).toThrow(/cache ls shows/);
});

test("selectors narrow each other", () => {
  expect(selected({ olderThan: 10 * day })).toEqual(["quick/a1a1a1a1a1a1", "c3c3c3c3c3c3"]);
  expect(selected({ unknown: true })).toEqual(["c3c3c3c3c3c3"]);
  expect(selected({ unknown: true, olderThan: 60 * day })).toEqual([]);
  expect(selected({ run: "quick", olderThan: 10 * day })).toEqual([]);
});

test("a run is open by its digest, and every night while any is open", () => {
  const open = (night: boolean) => recorded.filter((run) => isOpen(run, { digests: new Set(["a1a1a1a1a1a1"]), night })).length;
  expect(open(false)).toBe(1);
  expect(open(true)).toBe(2);
});
