import type { AnsweredRole, Fingerprints } from "./answered-models.ts";

/** What the ledger says of answers under one fingerprint. */
interface FingerprintLine {
  readonly stage: string;
  readonly role: string;
  readonly model: string;
  readonly fingerprint: string;
  /** Re-read ones included. */
  readonly answers: number;
}

/** Some providers give each answer one of its own. */
const shown = 6;

/** Each model's fingerprints beside its answers; a model whose provider gives none has none. */
export function withFingerprints(
  roles: readonly AnsweredRole[],
  lines: readonly FingerprintLine[],
  stages: readonly string[],
): readonly AnsweredRole[] {
  return roles.map((role) => ({
    ...role,
    answered: role.answered.map((spoken) => {
      const of = lines.filter((line) => line.role === role.role && line.model === spoken.model);
      return of.length === 0 ? spoken : { ...spoken, fingerprints: fingerprintsOf(of, stages) };
    }),
  }));
}

function fingerprintsOf(lines: readonly FingerprintLine[], stages: readonly string[]): Fingerprints {
  const all = [...Map.groupBy(lines, ({ fingerprint }) => fingerprint)].map(([fingerprint, of]) => ({
    fingerprint,
    answers: of.reduce((sum, { answers }) => sum + answers, 0),
    stages: stages.filter((stage) => of.some((line) => line.stage === stage)),
  }));
  const first = (one: (typeof all)[number]) => stages.indexOf(one.stages[0] ?? "");
  const most = all.toSorted((a, b) => b.answers - a.answers).slice(0, shown);
  return { distinct: all.length, most: most.toSorted((a, b) => first(a) - first(b) || b.answers - a.answers) };
}

/** A model that answered under several fingerprints in one run. Weaker than another model: providers change them without a word of why. */
export function fingerprintNotes(roles: readonly AnsweredRole[]): readonly string[] {
  return roles.flatMap(({ role, answered }) =>
    answered.flatMap(({ model, fingerprints }) => {
      if (fingerprints === undefined || fingerprints.distinct < 2) return [];
      const { distinct, most } = fingerprints;
      const told = most.map(
        ({ fingerprint, answers, stages }) =>
          `${fingerprint} (${answers} ${answers === 1 ? "answer" : "answers"}, ${stages.join(" and ") || "no stage"})`,
      );
      const more = distinct > most.length ? ` and ${distinct - most.length} more` : "";
      return [`${model} answered as ${role} under ${distinct} fingerprints: ${told.join(", ")}${more}`];
    }),
  );
}

/** Models that answer in a role as before, under fingerprints that they did not have then. Nothing where not all of the earlier ones are known. */
export function changedFingerprints(before: readonly AnsweredRole[], now: readonly AnsweredRole[]): readonly string[] {
  return now.flatMap(({ role, answered }) =>
    answered.flatMap(({ model, fingerprints }) => {
      const earlier = before.find((one) => one.role === role)?.answered.find((one) => one.model === model)?.fingerprints;
      if (fingerprints === undefined || earlier === undefined || earlier.distinct > earlier.most.length) return [];
      const known = earlier.most.map(({ fingerprint }) => fingerprint);
      const fresh = fingerprints.most.map(({ fingerprint }) => fingerprint).filter((one) => !known.includes(one));
      if (fresh.length === 0) return [];
      return [`${model} answered as ${role} under ${known.join(", ")} before, and under ${fresh.join(", ")} now`];
    }),
  );
}
