import type { Ref } from "./ref.ts";
import type { Stage } from "./stages.ts";
import type { RunRef } from "./units.ts";
import type { ExperimentPlan } from "./experiment.ts";

/** Keys of records and names of workflows that several processes build for themselves. */

/** `quickstart/0123456789ab/-`: where a run's rows live; the epoch of a night in place of the dash. */
function runKey({ name, digest, epoch }: Pick<RunRef, "name" | "digest" | "epoch">): string {
  return `${name}/${digest.slice(0, 12)}/${epoch === "" ? "-" : epoch}`;
}

export function stageRecordKey(run: RunRef, key: string): string {
  return `stage/${runKey(run)}/${key}`;
}

/** What the judge made of its canaries in this run or night. */
export function judgeCanariesKey(run: RunRef): string {
  return `judge-canaries/${runKey(run)}`;
}

/** Prefix of a stage's unit rows: `unit/<run>/converse/`. */
export function unitRowsPrefix(run: RunRef, stage: string): string {
  return `unit/${runKey(run)}/${stage}/`;
}

export function experimentWorkflowId({ name, digest }: Pick<RunRef, "name" | "digest">): string {
  return `exp/${name}/${digest.slice(0, 12)}`;
}

/** What `run` started, newest start wins: value of `launch/<name>/<digest12>`. */
export interface Launch {
  readonly run: RunRef;
  readonly plan: ExperimentPlan;
  readonly rehearsal: boolean;
  /** The stage that it stops after; absent: the whole run. */
  readonly until?: Stage;
  readonly at: string;
}

export function launchKey({ name, digest }: Pick<RunRef, "name" | "digest">): string {
  return `launch/${name}/${digest.slice(0, 12)}`;
}

/** Where a serving job says that it answers. */
export function servingKey(job: string): string {
  return `serving/${job}`;
}

/** What a job came to, by the digest of its work. */
export function jobDoneKey(work: string): string {
  return `done/${work}`;
}

/** Prefix of the claims of a run's jobs, whatever workflow of it started them. */
export function claimsPrefix({ name, digest }: Pick<RunRef, "name" | "digest">): string {
  return `claim/exp.${name}.${digest.slice(0, 12)}.`;
}

/** Keys of all pieces of a run, in the method's order. */
export function pieceKeys({
  contexts,
  backbones,
  guided,
}: Pick<ExperimentPlan, "contexts" | "backbones" | "guided">): readonly string[] {
  const each = (make: (context: string) => string) => contexts.map(make);
  return [
    "measure",
    ...each((context) => `converse/${context}`),
    ...(guided ? ["reward/guide"] : []),
    ...each((context) => `steer/${context}`),
    "reward/evaluator",
    ...each((context) => `reward/preference-${context}`),
    ...backbones.flatMap((backbone) => each((context) => `align/${backbone}/${context}`)),
    ...backbones.map((backbone) => `evaluate/${backbone}`),
    "report",
  ];
}

/** Where a run's resolved configuration is stored; settings outside the digest may differ, so the name holds its own. */
export function configUri({ name, digest }: Pick<RunRef, "name" | "digest">, content: Pick<Ref, "sha256">): string {
  return `runs/${name}/${digest}/config-${content.sha256.slice(0, 8)}.json`;
}
