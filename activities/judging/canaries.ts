import type { Canary } from "../../configs/schema/canaries.ts";
import { judgeCanariesKey } from "../../contract/places.ts";
import type { StageRecord } from "../../contract/stages.ts";
import type { RunRef } from "../../contract/units.ts";
import { canaryWarnings, type RatedCanary } from "../../domain/canaries.ts";
import { type Judged, ratingOf, unrated } from "../../domain/levels.ts";
import { GaveUpError, RefusedRequestError } from "../../platform/llm/errors.ts";
import type { Deps } from "../deps.ts";
import type { Session } from "../dialogue/session.ts";
import { judgeReply } from "./judge.ts";

/** Before the first turn of the conversation that asks for them. */
const turn = 0;

/**
 * Puts the run's canaries to the judge, once a run and once a night: as replies like any others, so that they are recorded and paid for like them.
 * They decide nothing, so a judge that does not answer one loses no conversation.
 */
export async function askCanaries(session: Session): Promise<void> {
  const { config, deps, input } = session;
  const { canaries = [] } = config;
  if (canaries.length === 0 || (await readCanaries(deps, input.run)) !== null) return;
  const rated: RatedCanary[] = [];
  for (const canary of canaries) rated.push(asRated(canary, await judged(session, canary)));
  const stored = (await deps.records.putFirst(judgeCanariesKey(input.run), rated)) as readonly RatedCanary[];
  for (const warning of canaryWarnings(stored)) deps.log.warn(warning, { run: input.run.name });
}

/** null: they were not asked for. */
export async function readCanaries({ records }: Pick<Deps, "records">, run: RunRef): Promise<readonly RatedCanary[] | null> {
  const stored = await records.get(judgeCanariesKey(run));
  return stored === null ? null : (stored.value as readonly RatedCanary[]);
}

function asRated({ id, kind, atMost, atLeast }: Canary, { overall, unscored }: Judged): RatedCanary {
  return { id, kind, atMost, atLeast, level: overall === null ? null : ratingOf(overall), unscored };
}

function judged(session: Session, { user, reply }: Canary): Promise<Judged> {
  return judgeReply(session, [{ speaker: "user", text: user }], reply, { turn, runs: 1, samples: 1 }).catch((error: unknown) => {
    if (!(error instanceof RefusedRequestError)) throw error;
    const unscored = error instanceof GaveUpError ? "the judge gave no answer" : "the judge refused the request";
    return { overall: null, dimensions: unrated, unscored };
  });
}

const prefix = "canary-";

/** As facts of a stage record: `canary-cold` is the level, `canary-cold:atMost` a bound. */
export function canaryFacts(rated: readonly RatedCanary[]): StageRecord["facts"] {
  return Object.fromEntries(
    rated.flatMap(({ id, level, ...rest }) => [
      [prefix + id, level] as const,
      ...Object.entries(rest).flatMap(([name, value]) =>
        value === undefined ? [] : [[`${prefix}${id}:${name}`, value] as const],
      ),
    ]),
  );
}

/** Back from a stage record; empty where they were not asked for. */
export function canariesInFacts(facts: StageRecord["facts"]): readonly RatedCanary[] {
  return Object.entries(facts).flatMap(([name, level]): RatedCanary[] => {
    if (!name.startsWith(prefix) || name.includes(":")) return [];
    const number = (of: string) => {
      const value = facts[`${name}:${of}`];
      return typeof value === "number" ? value : undefined;
    };
    const unscored = facts[`${name}:unscored`];
    return [
      {
        id: name.slice(prefix.length),
        kind: facts[`${name}:kind`] === "instruction" ? "instruction" : "plain",
        atMost: number("atMost"),
        atLeast: number("atLeast"),
        level: typeof level === "number" ? level : null,
        unscored: typeof unscored === "string" ? unscored : undefined,
      },
    ];
  });
}
