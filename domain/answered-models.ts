/** What the ledger says of one sort of calls; the rows of `usage` have more. */
interface LedgerLine {
  readonly stage: string;
  readonly role: string;
  /** As it answered. */
  readonly model: string;
  readonly calls: number;
  readonly reread: number;
}

/** Providers' own names for what they answered with: a change may be another machine, another build, or other weights under the same name. */
export interface Fingerprints {
  readonly distinct: number;
  /** Those with the most answers, in the order of the first of them. */
  readonly most: readonly { readonly fingerprint: string; readonly answers: number; readonly stages: readonly string[] }[];
}

/** Which models spoke in a role. */
export interface AnsweredRole {
  readonly role: string;
  /** As the run's configuration names it, or as the provider listed it before the run. */
  readonly asked: string;
  /** The one that answered first comes first. */
  readonly answered: readonly {
    readonly model: string;
    /** Answers, re-read ones included. */
    readonly answers: number;
    /** In the method's order: from the first of them on. */
    readonly stages: readonly string[];
    /** Absent where the provider gives none, and in results of earlier versions. */
    readonly fingerprints?: Fingerprints;
  }[];
  /** `revision`: a dated version of the name that was asked for. `other`: another name. `mix`: several models in one run. */
  readonly state: "as asked" | "revision" | "other" | "mix";
}

/** Models by role as the ledger has them. Roles that nobody answered in are left out, and those that `asked` does not name. */
export function answeredRoles(
  lines: readonly LedgerLine[],
  asked: Readonly<Record<string, string>>,
  stages: readonly string[],
): readonly AnsweredRole[] {
  const spoken = lines.filter(({ calls, reread }) => calls + reread > 0);
  return Object.entries(asked).flatMap(([role, name]): AnsweredRole[] => {
    const models = Map.groupBy(
      spoken.filter((line) => line.role === role),
      ({ model }) => model,
    );
    const answered = [...models]
      .map(([model, of]) => ({
        model,
        answers: of.reduce((sum, { calls, reread }) => sum + calls + reread, 0),
        stages: stages.filter((stage) => of.some((line) => line.stage === stage)),
      }))
      .toSorted((a, b) => first(stages, a.stages) - first(stages, b.stages) || b.answers - a.answers);
    return answered.length === 0 ? [] : [{ role, asked: name, answered, state: stateOf(name, models) }];
  });
}

const first = (stages: readonly string[], of: readonly string[]) => stages.indexOf(of[0] ?? "");

function stateOf(asked: string, models: ReadonlyMap<string, unknown>): AnsweredRole["state"] {
  const [other, ...more] = [...models.keys()].filter((model) => model !== asked);
  if (other === undefined) return "as asked";
  if (more.length > 0) return "mix";
  // A filter's refusal comes without a model's name and stands under the one that was asked for: beside its revision that is no second model.
  if (isRevision(asked, other)) return "revision";
  return models.has(asked) ? "mix" : "other";
}

/** `gpt-4.1-mini-2025-04-14` and `rehearsal@e9fa2956` are revisions; `gpt-4.1-mini` is none of `gpt-4.1`. Routers name a model with its owner: `openai/gpt-4.1`. */
function isRevision(named: string, model: string): boolean {
  const asked = named.endsWith(`/${model}`) ? model : named;
  if (asked === model) return true;
  return model.startsWith(asked) && /^[-@:](?:\d{4}|\d{6}|\d{8}|\d{4}-\d\d-\d\d|[0-9a-f]{7,64})$/.test(model.slice(asked.length));
}

/** What a reader must know before the numbers: a role in which another model spoke than was asked for, or several did. */
export function modelWarnings(roles: readonly AnsweredRole[]): readonly string[] {
  return roles.flatMap(({ role, asked, answered, state }) => {
    const spoken = answered.map(
      ({ model, answers, stages }) =>
        `${model} (${answers} ${answers === 1 ? "answer" : "answers"}, ${stages.length === 0 ? "no stage" : stages.join(" and ")})`,
    );
    if (state === "mix") return [`${answered.length} models answered as ${role}, asked for as ${asked}: ${spoken.join(", ")}`];
    return state === "other" ? [`${role} was asked for as ${asked} and answered by ${spoken.join(", ")}`] : [];
  });
}

/** Roles that other models speak in now than before: what they said does not compare. */
export function changedRoles(before: readonly AnsweredRole[], now: readonly AnsweredRole[]): readonly string[] {
  const names = ({ answered }: AnsweredRole) =>
    answered
      .map(({ model }) => model)
      .toSorted()
      .join(", ");
  return now.flatMap((role) => {
    const other = before.find((one) => one.role === role.role);
    if (other === undefined || names(other) === names(role)) return [];
    return [`${role.role} was answered by ${names(other)} before, and by ${names(role)} now`];
  });
}
