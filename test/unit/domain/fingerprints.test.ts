import { expect, test } from "vitest";
import { type AnsweredRole, answeredRoles, modelWarnings } from "../../../domain/answered-models.ts";
import { changedFingerprints, fingerprintNotes, withFingerprints } from "../../../domain/fingerprints.ts";

const stages = ["converse", "steer", "evaluate"];

/** A judge that answered under these fingerprints: stage and answers each. */
function judge(...lines: readonly (readonly [fingerprint: string, stage: string, answers: number])[]): readonly AnsweredRole[] {
  const ledger = lines.map(([, stage, calls]) => ({ stage, role: "judge", model: "small", calls, reread: 0 }));
  const printed = lines.map(([fingerprint, stage, answers]) => ({ stage, role: "judge", model: "small", fingerprint, answers }));
  return withFingerprints(answeredRoles(ledger, { judge: "small" }, stages), printed, stages);
}

test("several fingerprints of one model are a note, the earlier first, and no warning", () => {
  const roles = judge(["fp_b", "evaluate", 300], ["fp_a", "steer", 40], ["fp_a", "evaluate", 1]);
  expect(fingerprintNotes(roles)).toEqual([
    "small answered as judge under 2 fingerprints: fp_a (41 answers, steer and evaluate), fp_b (300 answers, evaluate)",
  ]);
  expect(modelWarnings(roles)).toEqual([]);
});

test("one fingerprint, or a provider that gives none, is no note", () => {
  expect(fingerprintNotes(judge(["fp_a", "steer", 40]))).toEqual([]);
  const none = withFingerprints(
    answeredRoles([{ stage: "steer", role: "judge", model: "small", calls: 3, reread: 0 }], { judge: "small" }, stages),
    [],
    stages,
  );
  expect(none[0]?.answered[0]).toEqual({ model: "small", answers: 3, stages: ["steer"] });
  expect(fingerprintNotes(none)).toEqual([]);
});

test("a provider that gives each answer a fingerprint of its own fills no page", () => {
  const roles = judge(...Array.from({ length: 500 }, (_, n) => [`fp_${n}`, "steer", 1] as const));
  expect(roles[0]?.answered[0]?.fingerprints?.most).toHaveLength(6);
  expect(fingerprintNotes(roles)[0]).toMatch(/under 500 fingerprints: fp_0 \(1 answer, steer\), .* and 494 more$/);
});

test("a fingerprint that the reference's answers did not have is named, with those they had", () => {
  const before = judge(["fp_a", "steer", 40], ["fp_b", "evaluate", 40]);
  expect(changedFingerprints(before, judge(["fp_c", "evaluate", 20]))).toEqual([
    "small answered as judge under fp_a, fp_b before, and under fp_c now",
  ]);
  expect(changedFingerprints(before, judge(["fp_b", "evaluate", 20]))).toEqual([]);
});

test("nothing is compared that was not recorded: another model, none before, or not all of them", () => {
  const now = judge(["fp_c", "evaluate", 20]);
  expect(changedFingerprints([], now)).toEqual([]);
  const other = judge(["fp_a", "steer", 1]).map((role) => ({
    ...role,
    answered: role.answered.map((spoken) => ({ ...spoken, model: "large" })),
  }));
  expect(changedFingerprints(other, now)).toEqual([]);
  expect(changedFingerprints(judge(...Array.from({ length: 9 }, (_, n) => [`fp_${n}`, "steer", 1] as const)), now)).toEqual([]);
});
